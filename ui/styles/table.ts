import { css } from 'lit';

/**
 * Rows with aligned columns on a wide screen, cards on a narrow one. Roles say that it is a table, because browsers
 * forget that of a `table` whose parts are laid out in another way. `--columns` sets the column widths.
 */
export const table = css`
  .table {
    display: grid;
    grid-template-columns: var(--columns, repeat(5, auto));
    column-gap: var(--space-4);
  }
  .head,
  .row {
    display: grid;
    grid-template-columns: subgrid;
    grid-column: 1 / -1;
    padding: var(--space-2) 0;
    border-top: 1px solid var(--line);
    align-items: baseline;
  }
  .head {
    border-top: 0;
    padding-top: 0;
    font-size: var(--text-s);
    color: var(--muted);
  }
  [role='cell'] {
    min-width: 0;
    overflow-wrap: anywhere;
  }
  @media (max-width: 60rem) {
    .table {
      display: block;
    }
    .head {
      position: absolute;
      width: 1px;
      height: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }
    .head + .row {
      border-top: 0;
    }
    .row {
      grid-template-columns: 1fr;
      gap: var(--space-1);
    }
    [role='cell'] {
      display: grid;
      grid-template-columns: 6.5rem minmax(0, 1fr);
      gap: var(--space-2);
      align-items: baseline;
    }
    [role='cell']::before {
      content: attr(data-label);
      font-size: var(--text-s);
      color: var(--muted);
    }
    [role='cell'][data-label='']::before {
      content: none;
    }
    [role='cell'][data-label=''] {
      grid-template-columns: 1fr;
    }
  }
`;
