import { css } from 'lit';

/** One agent in the columns of its table; with `card` the same cells below one another. */
export const agentRowStyles = css`
  :host {
    position: absolute;
    inset-inline: 0;
    top: var(--row-top);
    display: grid;
    grid-template-columns: var(--columns);
    column-gap: 1rem;
    align-items: center;
    height: var(--row-height);
    padding-inline: var(--space-3);
    border-top: 1px solid var(--line);
    background: var(--surface);
    overflow: hidden;
    contain: strict;
  }
  :host(:hover) {
    background: color-mix(in srgb, var(--sunken) 45%, var(--surface));
  }
  :host([aria-selected='true']) {
    background: var(--accent-soft);
  }
  :host(:focus-visible) {
    outline: 2px solid var(--accent);
    outline-offset: -2px;
  }
  [role] {
    min-width: 0;
  }
  .pick {
    display: grid;
    place-items: center;
    align-self: stretch;
    margin-left: calc(-1 * var(--space-3));
    padding-left: var(--space-3);
    cursor: pointer;
  }
  .name {
    display: flex;
    gap: var(--space-2);
    align-items: center;
    white-space: nowrap;
  }
  .name a {
    overflow: hidden;
    text-overflow: ellipsis;
    font-weight: 600;
    color: var(--text);
    text-decoration-color: var(--line-strong);
  }
  .id {
    overflow: hidden;
    text-overflow: ellipsis;
    font: var(--text-s) / 1.4 var(--font-mono);
    color: var(--muted);
    flex: 1 3 0;
  }
  .first mu-state {
    font-size: var(--text-s);
  }
  .note,
  .second {
    font-size: var(--text-s);
    color: var(--muted);
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .small .second {
    display: block;
  }
  .tags {
    display: flex;
    flex-wrap: wrap;
    gap: 0.2rem 0.3rem;
    align-items: center;
  }
  .tags .tag {
    display: block;
    max-width: 100%;
    min-height: 1.5rem;
    overflow: hidden;
    text-overflow: ellipsis;
    background: none;
    font-weight: 400;
  }
  .more {
    flex: none;
    font-size: var(--text-s);
    color: var(--muted);
  }
  .tags .tag:hover {
    border-color: var(--accent);
    color: var(--accent);
  }
  .number {
    text-align: right;
  }
  .stale {
    color: var(--muted);
  }
  .span2 {
    grid-column: span 2;
  }
  .span3 {
    grid-column: span 3;
  }
  .told {
    font-size: var(--text-s);
    color: var(--muted);
    max-height: 100%;
    overflow: auto;
  }
  mu-refusal {
    font-size: var(--text-s);
  }
  .approve {
    font-size: var(--text-s);
    min-height: 1.75rem;
    padding-inline: var(--space-2);
  }
  .menu {
    justify-self: end;
    margin-right: calc(-1 * var(--space-2));
  }
  .label {
    display: none;
  }
  :host([card]) {
    display: flex;
    flex-wrap: wrap;
    align-content: start;
    align-items: start;
    gap: var(--space-2) 0;
    padding-block: var(--space-3);
  }
  :host([card]) [role] {
    order: 2;
  }
  :host([card]) :is(.enabled, .early) {
    order: 1;
  }
  :host([card]) .pick {
    order: 0;
    width: 1.75rem;
    place-items: start;
    padding-top: 2px;
    margin-left: 0;
    padding-left: 0;
  }
  :host([card]) .first {
    order: 0;
    flex: 0 0 calc(100% - 4rem);
    height: 3.75rem;
    overflow: hidden;
  }
  :host([card]) .menu {
    order: 0;
    width: 2.25rem;
    margin-right: 0;
  }
  :host([card]) .bar,
  :host([card]) .whole {
    flex: 0 0 100%;
    height: 3.5rem;
  }
  :host([card]) .beyond {
    height: 4.625rem;
  }
  :host([card]) .enabled,
  :host([card]) .small {
    flex: 0 0 33%;
    height: 2.25rem;
    text-align: left;
  }
  :host([card]) .small {
    font-size: var(--text-m);
  }
  :host([card]) .labels {
    flex: 0 0 100%;
    height: 2.75rem;
  }
  :host([card]) .tags {
    flex-wrap: nowrap;
  }
  /* One that is too long gives way, and not the others. */
  :host([card]) .tags .tag {
    max-width: 45%;
  }
  :host([card]) .label {
    display: block;
    font-size: var(--text-s);
    line-height: 1.2;
    color: var(--muted);
  }
  :host([card]) .small .second:not(.small) {
    display: none;
  }
`;
