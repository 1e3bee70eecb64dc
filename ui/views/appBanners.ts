import { html, nothing, type TemplateResult } from 'lit';
import '../components/mu-banner.ts';
import { age } from '../data/amounts.ts';
import { asSentence } from '../data/explain.ts';
import { zoneTroubles, type Fleet } from '../data/fleet.ts';
import type { Me } from '../data/gateway.ts';
import type { Page } from '../data/page.ts';
import { roleNote } from '../data/roles.ts';

/** Since when the connection is gone and when it is tried again, in ms since 1970. */
export interface Lost {
  readonly since: number;
  readonly retryAt: number;
}

interface Banners {
  readonly me: Me;
  /** Null where there is no such page. */
  readonly page: Page | null;
  readonly fleet: Fleet | null;
  /** Null while the connection is there. */
  readonly lost: Lost | null;
  readonly now: number;
  readonly onRetry: () => void;
}

/** What is true of the whole page, above what it shows: that it is old, and what is wrong with the zones. */
export function appBanners({ me, page, fleet, lost, now, onRetry }: Banners): TemplateResult {
  return html`${page === 'overview' ? noteOf(me) : nothing}
  ${
    lost === null
      ? nothing
      : html`<mu-banner tone="warn">
          <span>
            <strong>Connection lost.</strong> What is shown is ${age(lost.since, now)} old. Trying again
            <span aria-hidden="true">in ${Math.max(0, Math.ceil((lost.retryAt - now) / 1000))} s</span>.
          </span>
          <button type="button" @click=${onRetry}>Try now</button>
        </mu-banner>`
  }
  ${page === 'access' || page === null ? nothing : zoneBanners(fleet)}
  ${page === 'overview' || page === 'agents' ? simulatedBanner(me, fleet) : nothing}`;
}

function noteOf({ role }: Me): unknown {
  const note = roleNote(role);
  return note === null ? nothing : html`<p class="muted">${note}</p>`;
}

function zoneBanners(fleet: Fleet | null): unknown {
  return (fleet === null ? [] : zoneTroubles(fleet)).map(
    ({ place, detail, mend, condition }) =>
      html`<mu-banner tone="warn">
        <span><strong>${place}${asSentence(detail)}</strong> ${asSentence(mend)} <code>${condition}</code></span>
      </mu-banner>`,
  );
}

function simulatedBanner(me: Me, fleet: Fleet | null): unknown {
  const simulated = me.simulated || [...(fleet?.agents.values() ?? [])].some((agent) => agent.simulated);
  return simulated
    ? html`<mu-banner>
        <span><strong>Simulated agents.</strong> Those with the tag are no real hosts: no container runs on them.</span>
      </mu-banner>`
    : nothing;
}
