import { css } from 'lit';

/** The page of all agents. */
export const agentsViewStyles = css`
  mu-agent-filter {
    margin-bottom: var(--space-3);
  }
  /* What is clipped must not hold back the head, which stays in sight. */
  mu-agent-table.panel {
    overflow: visible;
  }
  .many {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2);
    align-items: center;
    padding: var(--space-2) var(--space-3);
    border-bottom: 1px solid var(--line);
  }
  .many p {
    flex: 1;
    min-width: 9rem;
  }
  .many button {
    min-height: 1.875rem;
  }
  @media (max-width: 45rem) {
    .many.idle button {
      display: none;
    }
  }
  .none {
    display: grid;
    gap: var(--space-3);
    justify-items: center;
    padding: var(--space-6) var(--space-4);
    color: var(--muted);
  }
`;
