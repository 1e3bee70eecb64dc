import { html, type TemplateResult } from 'lit';
import '../components/mu-empty.ts';
import { addressOf, PAGE_NAMES, type Page } from '../data/page.ts';

/** In place of a page that an address does not lead to: what is the matter, and a way on. Needs the styles of a section. */
export function noSuch(heading: string, why: string, onward: Page): TemplateResult {
  return html`<section aria-labelledby="missing">
    <div class="top"><h2 id="missing">${heading}</h2></div>
    <mu-empty heading=${why}>
      <p><a href=${addressOf({ page: onward })}>Go to ${PAGE_NAMES[onward]}</a></p>
    </mu-empty>
  </section>`;
}
