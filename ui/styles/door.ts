import { css } from 'lit';

/** A page for whoever is not in yet: one narrow column. */
export const door = css`
  main {
    max-width: 26rem;
    margin: 12vh auto 0;
    padding: var(--space-5) var(--space-4) var(--space-6);
    display: grid;
    gap: var(--space-4);
  }
  h1 {
    font-size: var(--text-xl);
    font-weight: 650;
  }
  h2 {
    font-size: var(--text-m);
    font-weight: 600;
  }
  pre {
    margin: 0;
    padding: var(--space-2) var(--space-3);
    font: var(--text-m) / 1.4 var(--font-mono);
    background: var(--surface);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    overflow-x: auto;
  }
  .apart {
    display: grid;
    gap: var(--space-2);
    padding-top: var(--space-4);
    border-top: 1px solid var(--line);
  }
  .problem {
    color: var(--danger);
  }
  @media (max-width: 45rem) {
    main {
      margin-top: var(--space-5);
    }
  }
`;
