import { css, html, type TemplateResult } from 'lit';
import { addressOf, PAGE_NAMES, type Page } from '../data/page.ts';

/** The way from the page of one thing to the list that it stands in. */
export function back(page: Page): TemplateResult {
  return html`<nav class="back" aria-label="Up">
    <a href=${addressOf({ page })}>← All ${PAGE_NAMES[page].toLowerCase()}</a>
  </nav>`;
}

export const backStyle = css`
  .back {
    margin-bottom: var(--space-2);
    font-weight: 500;
  }
`;
