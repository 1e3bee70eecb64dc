import { css } from 'lit';

/** The history of an agent: controls, charts side by side, and the same as a table. */
export const historyStyles = css`
  h4 {
    margin: 0;
    font-size: var(--text-m);
    font-weight: 550;
  }
  .controls,
  .ranges,
  .moves {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
  }
  .controls {
    gap: var(--space-2) var(--space-4);
  }
  .ranges button {
    border-radius: 0;
    margin-left: -1px;
    min-height: 1.875rem;
    padding: 0 var(--space-2);
  }
  .ranges button:first-child {
    border-radius: var(--radius) 0 0 var(--radius);
    margin-left: 0;
  }
  .ranges button:last-child {
    border-radius: 0 var(--radius) var(--radius) 0;
  }
  .ranges button[aria-pressed='true'] {
    color: var(--on-accent);
    background: var(--accent);
    border-color: var(--accent);
  }
  .content {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-3);
  }
  .waiting {
    min-height: 14rem;
  }
  .charts {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr));
    gap: var(--space-4) var(--space-5);
  }
  .changes {
    display: grid;
    gap: var(--space-1);
  }
  .changes li {
    display: flex;
    gap: var(--space-2);
    align-items: baseline;
    overflow-wrap: anywhere;
  }
  .flag {
    flex: none;
    min-width: 1.5em;
    padding: 0 0.3em;
    border-radius: 2px;
    font-size: var(--text-s);
    font-weight: 600;
    text-align: center;
    color: var(--page);
    background: var(--warn);
  }
  .scroll {
    max-height: 20rem;
    overflow: auto;
    margin-top: var(--space-2);
  }
  table {
    border-collapse: collapse;
    width: 100%;
  }
  th,
  td {
    text-align: right;
    font-weight: 400;
    padding: var(--space-1) var(--space-2);
    border-top: 1px solid var(--line);
  }
  th:first-child {
    text-align: left;
  }
  thead th {
    color: var(--muted);
    font-size: var(--text-s);
    border-top: 0;
  }
  caption {
    text-align: left;
    color: var(--muted);
    font-size: var(--text-s);
    padding-bottom: var(--space-1);
  }
`;
