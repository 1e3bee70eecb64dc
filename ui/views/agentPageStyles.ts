import { css } from 'lit';

/** The page of one agent: a head, statistics side by side, and two columns below the history. */
export const agentPageStyles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-5);
  }
  .head {
    align-items: start;
    margin-bottom: 0;
  }
  h2 {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-1) var(--space-2);
    align-items: center;
    font-size: var(--text-xl);
    overflow-wrap: anywhere;
    margin-bottom: var(--space-1);
  }
  .id {
    font: var(--text-s) / 1.4 var(--font-mono);
    color: var(--muted);
  }
  .approval {
    display: grid;
    gap: var(--space-1);
    justify-items: start;
  }
  .statistics {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr));
    gap: var(--space-3);
  }
  .columns {
    display: grid;
    grid-template-columns: minmax(0, 5fr) minmax(0, 3fr);
    gap: var(--space-5);
    align-items: start;
  }
  .column {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-5);
  }
  .padded {
    padding: var(--space-3) var(--space-4);
  }
  .padded > * + * {
    margin-top: var(--space-2);
  }
  .do {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2);
  }
  ul.panel li {
    display: grid;
    gap: 0 var(--space-2);
    padding: var(--space-2) var(--space-4);
    overflow-wrap: anywhere;
  }
  ul.panel li + li {
    border-top: 1px solid var(--line);
  }
  details .panel {
    margin-top: var(--space-2);
  }
  .conditions {
    display: grid;
    gap: var(--space-2);
  }
  .condition {
    padding: var(--space-2) var(--space-3);
    border-left: 3px solid var(--warn);
    border-radius: var(--radius);
    background: var(--warn-soft);
    overflow-wrap: anywhere;
  }
  .uncovered {
    border-left-color: var(--danger);
    background: var(--danger-soft);
  }
  @media (max-width: 70rem) {
    .columns {
      grid-template-columns: minmax(0, 1fr);
    }
  }
`;
