import { css } from 'lit';

/** A head that stays in sight, and rows of one height of which only those on screen are there. */
export const agentTableStyles = css`
  .above,
  .stick {
    position: sticky;
    top: 0;
    z-index: 1;
    background: var(--surface);
  }
  .above {
    border-radius: var(--radius-l) var(--radius-l) 0 0;
  }
  .stick {
    top: var(--above-height);
    border-bottom: 1px solid var(--line);
  }
  .head {
    display: grid;
    grid-template-columns: var(--columns);
    column-gap: 1rem;
    align-items: center;
    padding: 0 var(--space-3);
    min-height: 2.25rem;
  }
  .head > [role='columnheader'] {
    display: grid;
    min-width: 0;
  }
  .head button:not(.tick) {
    min-height: 1.75rem;
    padding: 0 var(--space-1);
    margin-left: calc(-1 * var(--space-1));
    border: 0;
    background: none;
    font-size: var(--text-s);
    color: var(--muted);
    text-align: left;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .head button:not(.tick):hover {
    background: var(--sunken);
  }
  .head button:focus-visible {
    outline-offset: -2px;
  }
  [aria-sort='ascending'] button,
  [aria-sort='descending'] button {
    color: var(--text);
    font-weight: 650;
  }
  .head .number button:not(.tick) {
    margin-inline: 0 calc(-1 * var(--space-1));
    text-align: right;
  }
  :host([cards]) .head {
    display: flex;
    gap: var(--space-3);
    padding-block: var(--space-1);
  }
  :host([cards]) .head > [role='columnheader']:not(:first-child) {
    position: absolute;
    clip-path: inset(50%);
    pointer-events: none;
  }
  .all {
    display: none;
  }
  :host([cards]) .all {
    display: inline;
    font-size: var(--text-s);
  }
  :host([cards]) .head > :first-child {
    display: flex;
    gap: var(--space-2);
    align-items: center;
    padding-block: var(--space-1);
  }
  .rows {
    position: relative;
    height: var(--all-rows);
    border-radius: 0 0 var(--radius-l) var(--radius-l);
    overflow: clip;
    margin-top: -1px;
  }
  .rows:focus-visible {
    outline-offset: -2px;
  }
`;
