import { css } from 'lit';

/** The frame of the page. */
export const appStyles = css`
  header,
  main {
    max-width: 90rem;
    margin-inline: auto;
    padding-inline: var(--space-5);
  }
  header {
    display: flex;
    flex-wrap: wrap;
    gap: 0 var(--space-4);
    align-items: baseline;
    padding-block: var(--space-4) var(--space-3);
  }
  h1 {
    font-size: var(--text-xl);
    font-weight: 650;
    letter-spacing: -0.01em;
  }
  .summary {
    flex: 1;
    color: var(--muted);
  }
  .who {
    display: flex;
    align-items: baseline;
    gap: var(--space-1);
    margin-right: calc(-1 * var(--space-2));
  }
  main {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-5);
    padding-bottom: 6rem;
  }
  mu-banner + mu-banner {
    margin-top: calc(-1 * var(--space-3));
  }
  .waiting {
    padding: var(--space-6) var(--space-5);
    color: var(--muted);
    text-align: center;
  }
  .notice {
    position: fixed;
    inset: auto var(--space-4) var(--space-4);
    display: grid;
    justify-items: center;
    pointer-events: none;
  }
  .notice p {
    max-width: 40rem;
    padding: var(--space-2) var(--space-4);
    border-radius: var(--radius);
    color: var(--page);
    background: var(--text);
    box-shadow: var(--shadow);
    overflow-wrap: anywhere;
  }
  @media (max-width: 45rem) {
    header,
    main {
      padding-inline: var(--space-3);
    }
    .summary {
      flex-basis: 100%;
      order: 1;
    }
    .who {
      margin-left: auto;
    }
  }
`;
