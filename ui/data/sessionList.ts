import type { SessionPhase, SessionView } from '../../projections/views.ts';
import { isOver, type Fleet } from './fleet.ts';

/** What the list of sessions shows, as its address says. */
export interface SessionFilter {
  /** Those that want or hold something, those that are over, all, or those of one phase. */
  readonly show: 'live' | 'over' | 'all' | SessionPhase;
  readonly image: string;
  /** Part of the agent's id or host name. */
  readonly agent: string;
  /** Part of who asked for it. */
  readonly who: string;
  /** From 1. */
  readonly page: number;
}

export const PHASES: readonly SessionPhase[] = [
  'waiting',
  'placed',
  'starting',
  'running',
  'stopping',
  'unknown',
  'ended',
  'refused',
  'cancelled',
];

export const PAGE_SIZE = 100;

const SHOWS: ReadonlySet<string> = new Set(['live', 'over', 'all', ...PHASES]);

/** What an address does not say, or says wrongly, is as usual. */
export function sessionFilterOf(query: string): SessionFilter {
  const said = new URLSearchParams(query);
  const show = said.get('phase') ?? 'live';
  return {
    show: isShow(show) ? show : 'live',
    image: said.get('image') ?? '',
    agent: said.get('agent') ?? '',
    who: said.get('who') ?? '',
    page: Math.max(1, Math.floor(Number(said.get('page') ?? '1')) || 1),
  };
}

/** What is as usual is left out. */
export function sessionQuery({ show, image, agent, who, page }: SessionFilter): string {
  const query = new URLSearchParams();
  if (show !== 'live') query.set('phase', show);
  for (const [name, value] of Object.entries({ image, agent, who })) if (value !== '') query.set(name, value);
  if (page !== 1) query.set('page', String(page));
  return query.toString();
}

export function isFiltered(filter: SessionFilter): boolean {
  return sessionQuery({ ...filter, page: 1 }) !== '';
}

/** Every session that the filter lets through, newest first. */
export function sessionsShown({ sessions, agents }: Fleet, filter: SessionFilter): readonly SessionView[] {
  const [agent, who] = [filter.agent.trim().toLowerCase(), filter.who.trim().toLowerCase()];
  const through = [...sessions.values()].filter(
    (session) =>
      isWanted(session, filter.show) &&
      (filter.image === '' || session.imageId === filter.image) &&
      (who === '' || session.requestedBy.id.toLowerCase().includes(who)) &&
      (agent === '' || `${session.agentId ?? ''}\n${hostname(session)}`.toLowerCase().includes(agent)),
  );
  return through.toSorted(newestFirst);

  function hostname({ agentId }: SessionView): string {
    return agentId === null ? '' : (agents.get(agentId)?.hostname ?? '');
  }
}

/** `page` of them, and which page that is: the last one where there are not so many. */
export function pageOf<Row>(
  rows: readonly Row[],
  page: number,
): { readonly rows: readonly Row[]; readonly page: number; readonly pages: number } {
  const pages = Math.max(1, Math.ceil(rows.length / PAGE_SIZE));
  const shown = Math.min(page, pages);
  return { rows: rows.slice((shown - 1) * PAGE_SIZE, shown * PAGE_SIZE), page: shown, pages };
}

function isShow(text: string): text is SessionFilter['show'] {
  return SHOWS.has(text);
}

function isWanted(session: SessionView, show: SessionFilter['show']): boolean {
  if (show === 'all') return true;
  if (show === 'live') return !isOver(session);
  return show === 'over' ? isOver(session) : session.phase === show;
}

/** Times of one form compare as texts, which is far quicker than by language for ten thousand of them. */
function newestFirst(a: SessionView, b: SessionView): number {
  if (a.requestedAt !== b.requestedAt) return a.requestedAt < b.requestedAt ? 1 : -1;
  return a.sessionId < b.sessionId ? -1 : 1;
}
