import { html } from 'lit';
import type { SessionView } from '../../projections/views.ts';
import { endpointLinks } from '../data/sessions.ts';
import { dash } from './dash.ts';

/** Where a session is reached: what a browser can open is a link. */
export function endpoints(session: SessionView): unknown {
  const links = endpointLinks(session, globalThis.location.hostname);
  if (links.length === 0) return dash('none');
  return html`<span
    >${links.map(({ href, text }) =>
      href === null
        ? html`<span class="second">${text} udp</span>`
        : html`<a href=${href} target="_blank" rel="noopener noreferrer">${text}</a> `,
    )}</span
  >`;
}
