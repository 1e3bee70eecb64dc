import { html } from 'lit';
import { serverNow, type Fleet } from '../data/fleet.ts';
import type { Me } from '../data/gateway.ts';
import { NEW_IMAGE, type Place } from '../data/page.ts';
import './mu-agents-view.ts';
import './mu-image-view.ts';
import './mu-images-view.ts';
import './mu-overview-view.ts';
import './mu-sessions-view.ts';
import { noSuch } from './noSuch.ts';

interface Shown {
  /** Null where the address leads nowhere. */
  readonly place: Place | null;
  readonly me: Me;
  /** Null until it has come. */
  readonly fleet: Fleet | null;
  /** This machine's, ms since 1970. */
  readonly now: number;
}

/** The page that the address names. One whose code has not come yet is empty. */
export function appPage({ place, me, fleet, now }: Shown): unknown {
  if (place === null) return noSuch('No such page', 'This address leads nowhere here.', 'overview');
  const { page, id, query } = place;
  const { role } = me;
  if (page === 'access') {
    return html`<mu-access-view .now=${timeOf(fleet, now)} .may=${role} .self=${me.actor.id}></mu-access-view>`;
  }
  if (fleet === null) return html`<p class="waiting" role="status">Loading the fleet</p>`;
  switch (page) {
    case 'overview':
      return html`<mu-overview-view .fleet=${fleet} .now=${now} .may=${role}></mu-overview-view>`;
    case 'agents':
      return id === null
        ? html`<mu-agents-view .fleet=${fleet} .now=${now} .may=${role} .query=${query}></mu-agents-view>`
        : html`<mu-agent-view .fleet=${fleet} .agentId=${id} .now=${now} .may=${role} .query=${query}></mu-agent-view>`;
    case 'sessions':
      return id === null
        ? html`<mu-sessions-view .fleet=${fleet} .now=${now} .may=${role} .query=${query}></mu-sessions-view>`
        : html`<mu-session-view .fleet=${fleet} .now=${now} .may=${role} .sessionId=${id}></mu-session-view>`;
    case 'images':
      return id === null
        ? html`<mu-images-view .fleet=${fleet} .may=${role}></mu-images-view>`
        : html`<mu-image-view .fleet=${fleet} .imageId=${id} .now=${now} .may=${role}></mu-image-view>`;
  }
}

/** In ms since 1970; this machine's time until the server's is known. */
export function timeOf(fleet: Fleet | null, now: number): number {
  return fleet === null ? now : serverNow(fleet, now);
}

/**
 * Fetches the code of a larger page that is not the first to be looked at, so that the first one is there sooner. Rejects with a
 * TypeError when it does not come: the network, or a gateway that was updated meanwhile.
 */
export async function loadPage({ page, id }: Place): Promise<void> {
  if (page === 'access') await import('./mu-access-view.ts');
  if (page === 'agents' && id !== null) await import('./mu-agent-view.ts');
  if (page === 'sessions' && id !== null) await import('./mu-session-view.ts');
}

/** What the one thing that is shown is called; null on a list. */
export function nameShown(place: Place | null, fleet: Fleet | null): string | null {
  if (place === null || place.id === null) return null;
  if (place.page === 'agents') return fleet?.agents.get(place.id)?.hostname ?? place.id;
  if (place.page === 'images' && place.id === NEW_IMAGE) return 'A new image';
  if (place.page === 'images') return fleet?.images.get(place.id)?.name ?? place.id;
  return place.id;
}
