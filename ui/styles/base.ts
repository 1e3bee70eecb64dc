import { css } from 'lit';

/** What every component starts from: box model, type, focus ring, buttons, tags. */
export const base = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host {
    display: block;
  }
  :host([hidden]) {
    display: none;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd,
  figure {
    margin: 0;
    padding: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  a {
    color: var(--accent);
    text-underline-offset: 2px;
  }
  code {
    font: var(--text-s) / 1.4 var(--font-mono);
    background: var(--sunken);
    border-radius: 4px;
    padding: 0.1em 0.35em;
    overflow-wrap: anywhere;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
    border-radius: var(--radius);
  }
  button {
    font: 500 var(--text-m) / 1.2 var(--font);
    color: var(--text);
    background: var(--surface);
    border: 1px solid var(--line-strong);
    border-radius: var(--radius);
    min-height: 2.125rem;
    padding: 0 var(--space-3);
    cursor: pointer;
    white-space: nowrap;
  }
  button:hover {
    background: var(--sunken);
  }
  button[aria-disabled='true'] {
    cursor: progress;
    opacity: 0.75;
  }
  button:disabled,
  button:disabled:hover {
    cursor: not-allowed;
    opacity: 0.5;
  }
  button.primary {
    color: var(--on-accent);
    background: var(--accent);
    border-color: var(--accent);
  }
  button.danger {
    color: var(--on-danger);
    background: var(--danger);
    border-color: var(--danger);
  }
  button.quiet {
    border-color: transparent;
    background: none;
    color: var(--accent);
    padding: 0 var(--space-2);
    min-height: 1.875rem;
  }
  button.quiet:hover {
    background: var(--sunken);
  }
  summary {
    cursor: pointer;
  }
  .muted {
    color: var(--muted);
  }
  .small {
    font-size: var(--text-s);
  }
  .tag {
    display: inline-block;
    font-size: var(--text-s);
    line-height: 1.35;
    padding: 0 0.45em;
    border: 1px solid var(--line-strong);
    border-radius: 999px;
    color: var(--muted);
    white-space: nowrap;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      transition: none !important;
      animation: none !important;
    }
  }
`;

/** Fields of a form: a label above, help and errors below. */
export const form = css`
  form,
  .fields {
    display: grid;
    gap: var(--space-4);
  }
  .pair {
    display: grid;
    gap: var(--space-4);
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr));
    align-items: start;
  }
  .field {
    display: grid;
    gap: var(--space-1);
    min-width: 0;
  }
  label,
  legend {
    font-weight: 550;
    padding: 0;
  }
  fieldset {
    border: 0;
    margin: 0;
    padding: 0;
    min-width: 0;
    display: grid;
    gap: var(--space-1);
  }
  .choice {
    display: flex;
    gap: var(--space-2);
    align-items: baseline;
    font-weight: 400;
  }
  input:not([type='radio'], [type='checkbox']),
  select,
  textarea {
    font: inherit;
    color: var(--text);
    background: var(--surface);
    border: 1px solid var(--line-strong);
    border-radius: var(--radius);
    padding: var(--space-1) var(--space-2);
    min-height: 2.25rem;
    width: 100%;
    min-width: 0;
  }
  input[aria-invalid='true'],
  textarea[aria-invalid='true'] {
    border-color: var(--danger);
  }
  input[type='radio'],
  input[type='checkbox'] {
    accent-color: var(--accent);
  }
  .help {
    font-size: var(--text-s);
    color: var(--muted);
    min-height: 1.45em;
    overflow-wrap: anywhere;
  }
  .error {
    font-size: var(--text-s);
    color: var(--danger);
    overflow-wrap: anywhere;
  }
  .warn {
    font-size: var(--text-s);
    color: var(--warn);
  }
  .warn.uncovered {
    color: var(--danger);
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2);
    justify-content: flex-end;
    align-items: center;
  }
  /* In sight however long the dialog is. */
  mu-dialog .actions {
    position: sticky;
    z-index: 1;
    bottom: 0;
    margin: calc(-1 * var(--space-2)) calc(-1 * var(--space-1)) calc(-1 * var(--space-3));
    padding: var(--space-2) var(--space-1) var(--space-3);
    background: var(--surface);
  }
`;
