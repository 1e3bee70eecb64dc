import { html, nothing, type TemplateResult } from 'lit';
import type { Me } from '../data/gateway.ts';
import { addressOf, PAGE_NAMES, PAGES, type Page } from '../data/page.ts';
import { whyNot } from '../data/roles.ts';

interface Header {
  readonly me: Me;
  /** Null where there is no such page. */
  readonly page: Page | null;
  /** What is going on in the fleet, in a line; null while it is not known. */
  readonly summary: string | null;
  readonly onAccount: () => void;
  readonly onSignOut: () => Promise<void>;
}

/** The head of every page: where one is, how the fleet is, and who one is. */
export function appHeader({ me, page, summary, onAccount, onSignOut }: Header): TemplateResult {
  return html`<header>
    <h1>
      Muster <span class="version"><span class="visually-hidden">version </span>${me.version}</span>
    </h1>
    <nav aria-label="Pages">${PAGES.map((each) => pageLink(each, page, me))}</nav>
    <p class="summary">${summary ?? nothing}</p>
    <p class="who">
      <span class="muted self" title=${me.name}
        ><span class="name"><span class="visually-hidden">Signed in as </span>${me.name}</span> (${me.role})</span
      >
      <button class="quiet" type="button" @click=${onAccount}>Account</button>
      <button class="quiet" type="button" @click=${onSignOut}>Sign out</button>
    </p>
  </header>`;
}

function pageLink(each: Page, page: Page | null, { role }: Me): TemplateResult {
  const why = each === 'access' ? whyNot(role, 'admin') : null;
  if (why !== null) return html`<a role="link" aria-disabled="true" title=${why}>${PAGE_NAMES[each]}</a>`;
  return html`<a href=${addressOf({ page: each })} aria-current=${each === page ? 'page' : nothing}
    >${PAGE_NAMES[each]}</a
  >`;
}
