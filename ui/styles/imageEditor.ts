import { css } from 'lit';

/** The form of an image: fields side by side where there is room. */
export const imageEditorStyles = css`
  .all {
    gap: var(--space-4);
  }
  .triple {
    display: grid;
    gap: var(--space-4);
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 10rem), 1fr));
    align-items: start;
  }
  textarea {
    font-family: var(--font-mono);
    font-size: var(--text-s);
  }
  .actions button {
    flex: none;
  }
`;
