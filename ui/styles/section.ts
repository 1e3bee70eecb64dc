import { css } from 'lit';

/** A section of the page: a heading with a count and its actions, then its content. */
export const section = css`
  .top {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2) var(--space-4);
    align-items: center;
    justify-content: space-between;
    margin-bottom: var(--space-3);
  }
  h2,
  h3 {
    font-size: var(--text-l);
    font-weight: 600;
  }
  summary {
    width: fit-content;
    color: var(--accent);
    font-weight: 500;
  }
  .count {
    color: var(--muted);
    font-weight: 400;
    font-size: var(--text-m);
    margin-left: var(--space-2);
  }
  mu-refusal {
    margin-bottom: var(--space-3);
  }
  .panel {
    border: 1px solid var(--line);
    border-radius: var(--radius-l);
    background: var(--surface);
    overflow: hidden;
  }
`;
