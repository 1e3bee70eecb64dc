import { labelTexts, type Labels } from '../../domain/labels.ts';
import type { AgentView, Connectivity, Intent } from '../../projections/views.ts';
import { needsAttention } from './agents.ts';
import { AGENT_SORTS, type SortOrder } from './agentSorts.ts';

/** One of the words by which the state of agents is told. */
export type AgentState = Connectivity | Intent;

export const AGENT_STATES: Readonly<Record<AgentState, string>> = {
  online: 'Online',
  late: 'Late',
  missing: 'Missing',
  lost: 'Declared lost',
  never: 'Never checked in',
  pending: 'Waiting for approval',
  enabled: 'Enabled',
  disabled: 'Disabled',
  revoked: 'Revoked',
};

/** Which agents are shown and in what order: what the address of the page says behind its `?`. */
export interface AgentListing {
  /** Every word must occur in name, id, zone, sentence or a label; `key=value` is a label as it stands there, `key=` any of that key. */
  readonly text: string;
  readonly state: AgentState | null;
  readonly zone: string | null;
  readonly attention: boolean;
  readonly sort: SortOrder;
}

export const ALL_AGENTS: AgentListing = {
  text: '',
  state: null,
  zone: null,
  attention: false,
  sort: { by: 'name', descending: false },
};

export function isFiltered({ text, state, zone, attention }: AgentListing): boolean {
  return text.trim() !== '' || state !== null || zone !== null || attention;
}

/** Whether an agent is among those asked for. */
export function agentFilter({ text, state, zone, attention }: AgentListing): (agent: AgentView) => boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (agent) => {
    if (state !== null && agent.connectivity !== state && agent.intent !== state) return false;
    if (zone !== null && agent.zone !== zone) return false;
    if (attention && !needsAttention(agent)) return false;
    if (words.length === 0) return true;
    const labels = textsOf(agent.labels);
    const said = `${agent.hostname} ${agent.agentId} ${agent.zone} ${agent.sentence} ${labels.join(' ')}`.toLowerCase();
    return words.every((word) => (word.includes('=') ? hasLabel(labels, word) : said.includes(word)));
  };
}

/** Most agents are asked again and again while somebody types, and have the labels that they had. */
const texts = new WeakMap<Labels, readonly string[]>();

function textsOf(labels: Labels): readonly string[] {
  let known = texts.get(labels);
  if (known === undefined) {
    known = labelTexts(labels).map((text) => text.toLowerCase());
    texts.set(labels, known);
  }
  return known;
}

/** A label as a whole, since what is found may be changed all at once: `gpu=l4` is not `gpu=l40`. */
function hasLabel(labels: readonly string[], word: string): boolean {
  if (!word.endsWith('=')) return labels.includes(word);
  const key = word.slice(0, -1);
  return labels.some((label) => label === key || label.startsWith(word));
}

/** The text of a filter with a label among its words. */
export function narrowedTo(text: string, label: string): string {
  const words = text.split(/\s+/).filter(Boolean);
  return words.includes(label) ? text : [...words, label].join(' ');
}

/** What an address asks for; what is not understood in it is left out. */
export function listingFrom(query: URLSearchParams): AgentListing {
  const state = query.get('state');
  const sort = query.get('sort') ?? '';
  const by = AGENT_SORTS.find((each) => each === sort.replace(/^-/, ''));
  return {
    text: query.get('q') ?? '',
    state: isState(state) ? state : null,
    zone: query.get('zone'),
    attention: query.get('attention') === '1',
    sort: by === undefined ? ALL_AGENTS.sort : { by, descending: sort.startsWith('-') },
  };
}

/** The same as an address says it; empty for all agents by name. */
export function listingQuery({ text, state, zone, attention, sort }: AgentListing): URLSearchParams {
  const query = new URLSearchParams();
  if (text.trim() !== '') query.set('q', text);
  if (state !== null) query.set('state', state);
  if (zone !== null) query.set('zone', zone);
  if (attention) query.set('attention', '1');
  if (sort.by !== ALL_AGENTS.sort.by || sort.descending) query.set('sort', `${sort.descending ? '-' : ''}${sort.by}`);
  return query;
}

export function isState(text: string | null): text is AgentState {
  return text !== null && Object.hasOwn(AGENT_STATES, text);
}
