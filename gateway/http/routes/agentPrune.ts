import { hash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { activePruneMode, pruneReport, type PruneReport } from '../../../domain/pruning/record.ts';
import type { PruneRefusalCode } from '../../../infra/bus/pruneCalls.ts';
import { isPruneRefused } from '../../prune/errors.ts';
import type { PruneAsked } from '../../prune/pruneCaller.ts';
import { askedBy, type Asked } from '../commands.ts';
import type { Edge, Route } from '../edge.ts';
import { HttpProblem, unavailable } from '../problem.ts';
import { agentParams, prunePost } from '../schemas/requests.ts';
import { requireNotRevoked, zoneOfAgent } from './find.ts';
import { problems } from './problems.ts';

const RETRY_SECONDS = 10;
const STATUS: Readonly<Partial<Record<PruneRefusalCode, number>>> = { OTHER_LOG: 409, KEY_REUSED: 409 };

const report = pruneReport.meta({ id: 'PruneReport' });
const answers = { 200: report, ...problems };

/** A preview and a prune are one function, in the agent; only the one of them removes. */
export const agentPrune: Route = (api, edge) => {
  const preview = {
    summary:
      'What a prune of the images of an agent would remove now, and why each of the others stays; nothing is removed',
    tags: ['agents'],
    params: agentParams,
    querystring: z.strictObject({ mode: activePruneMode }),
    response: answers,
  };
  const asQuery = { role: 'operator', bus: { kind: 'query', name: 'prune' } } as const;
  api.get('/agents/:agentId/prune', { schema: preview, config: asQuery }, (request) => {
    const asker = { actor: askedBy(request).actor, reason: null };
    const { agentId } = request.params;
    return ask(edge, { agentId, callId: randomUUID(), dryRun: true, asker, ...request.query });
  });

  const prune = {
    summary: 'Removes images of an agent now, by the rules of the mode, whatever its own mode is',
    tags: ['agents'],
    params: agentParams,
    body: prunePost,
    response: answers,
  };
  const asCommand = { role: 'operator', bus: { kind: 'command', name: 'PruneImages', target: 'zone' } } as const;
  api.post('/agents/:agentId/prune', { schema: prune, config: asCommand }, (request) => {
    const asked = askedBy(request);
    const { agentId } = request.params;
    const { mode, reason = null } = request.body;
    const away = edge.notReady();
    if (away !== null) throw unavailable(`${away}; nothing was done, try again`);
    requireNotRevoked(edge.core, agentId);
    return ask(edge, {
      agentId,
      callId: callIdOf(asked),
      mode,
      dryRun: false,
      asker: { actor: asked.actor, reason },
    });
  });
};

/** The same for a repetition, so that the agent gives its first answer again; and no other caller meets it. */
function callIdOf({ actor, key }: Asked): string {
  return hash('sha256', `prune\n${actor.kind}\n${actor.id}\n${key}`);
}

async function ask({ core, prune }: Edge, asked: Omit<PruneAsked, 'logId'>): Promise<PruneReport> {
  const { logId } = zoneOfAgent(core, asked.agentId).replica;
  if (logId === null) throw unavailable('the log of the zone has not begun; try again');
  try {
    return await prune.ask({ ...asked, logId });
  } catch (error) {
    if (!isPruneRefused(error)) throw error;
    const status = STATUS[error.code] ?? 503;
    const retry = status === 503 ? { retryAfterSeconds: RETRY_SECONDS } : {};
    throw new HttpProblem(status, error.code, error.message, { cause: error, ...retry });
  }
}
