import { css } from 'lit';

/** What a dialog shows once: a text to copy, and how it is used. */
export const once = css`
  .done {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-4);
  }
  .once {
    color: var(--warn);
    font-weight: 550;
  }
  h3 {
    font-size: var(--text-m);
    font-weight: 600;
    margin-bottom: var(--space-1);
  }
  pre {
    margin: 0;
    padding: var(--space-2) var(--space-3);
    font: var(--text-s) / 1.5 var(--font-mono);
    background: var(--sunken);
    border-radius: var(--radius);
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
`;
