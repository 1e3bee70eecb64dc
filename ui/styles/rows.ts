import { css } from 'lit';

/** Rows of people and keys in a table: a name with an id, actions at the end; on a narrow screen cards. */
export const rows = css`
  .table {
    padding: var(--space-3) var(--space-4) 0;
  }
  .name {
    font-weight: 550;
  }
  .id {
    font: var(--text-s) / 1.4 var(--font-mono);
    color: var(--muted);
    display: block;
  }
  .second {
    display: block;
    font-size: var(--text-s);
    color: var(--muted);
  }
  .do {
    display: flex;
    flex-wrap: wrap;
    justify-content: end;
    margin-right: calc(-1 * var(--space-2));
  }
  @media (max-width: 60rem) {
    .row {
      padding-block: var(--space-3);
    }
    .first[role='cell'] {
      grid-template-columns: minmax(0, 1fr);
    }
    .first[role='cell']::before {
      content: none;
    }
    [data-empty] {
      display: none;
    }
    [role='cell'].do {
      display: flex;
      justify-content: start;
      margin-left: calc(-1 * var(--space-2));
    }
  }
`;
