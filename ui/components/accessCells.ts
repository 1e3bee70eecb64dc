import { html } from 'lit';
import { age } from '../data/amounts.ts';
import { dayText } from '../data/times.ts';
import { dash } from './dash.ts';

/** What the tables of people, keys and tokens have in common. Times are ISO 8601, `now` is the server's in ms since 1970. */

/** A head over columns and over what can be done with a row. */
export function headRow(names: readonly string[]): unknown {
  return html`<div role="row" class="head">
    ${names.map((name) => html`<span role="columnheader">${name}</span>`)}
    <span role="columnheader"><span class="visually-hidden">Actions</span></span>
  </div>`;
}

export function lastUsedCell(lastUsedAt: string | null, now: number): unknown {
  return html`<span role="cell" data-label="Last used" ?data-empty=${lastUsedAt === null}
    >${lastUsedAt === null ? dash('not since the gateway started') : ago(lastUsedAt, now)}</span
  >`;
}

export function issuedCell(issuedAt: string, now: number): unknown {
  return html`<span role="cell" data-label="Issued"
    ><span>${ago(issuedAt, now)}<span class="second">${dayText(Date.parse(issuedAt))}</span></span></span
  >`;
}

/** `what` is said to a screen reader alone: the row says it to everybody else. */
export function revokeCell(what: string, revoke: () => void): unknown {
  return html`<span role="cell" data-label="" class="do">
    <button class="quiet" type="button" @click=${revoke}>Revoke<span class="visually-hidden"> ${what}</span></button>
  </span>`;
}

function ago(time: string, now: number): string {
  return `${age(Date.parse(time), now)} ago`;
}
