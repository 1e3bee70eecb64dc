import { css } from 'lit';

/** The frame of the page. */
export const appStyles = css`
  header,
  main {
    max-width: 90rem;
    margin-inline: auto;
    padding-inline: var(--space-5);
  }
  :host([wide]) :is(header, main) {
    max-width: 150rem;
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
  .version {
    font-size: var(--text-s);
    font-weight: 400;
    letter-spacing: 0;
    color: var(--muted);
  }
  nav {
    display: flex;
    gap: var(--space-1);
    align-self: center;
  }
  nav a {
    padding: var(--space-1) var(--space-2);
    border-radius: var(--radius);
    color: var(--muted);
    font-weight: 500;
    text-decoration: none;
  }
  nav a:hover {
    background: var(--sunken);
  }
  nav a[aria-current] {
    color: var(--text);
    background: var(--sunken);
  }
  nav a[aria-disabled] {
    cursor: not-allowed;
    opacity: 0.5;
  }
  .summary {
    flex-basis: 100%;
    order: 1;
    color: var(--muted);
  }
  .who {
    display: flex;
    align-items: baseline;
    gap: var(--space-1);
    min-width: 0;
    margin-left: auto;
    margin-right: calc(-1 * var(--space-2));
  }
  .self {
    display: flex;
    gap: 0.3em;
    min-width: 0;
  }
  .name {
    max-width: 20rem;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  main {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-5);
    padding-bottom: 6rem;
  }
  main:focus {
    outline: none;
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
  }
`;
