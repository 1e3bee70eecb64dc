import { z } from 'zod';
import { formatPosition } from '../../../domain/commit.ts';
import { FLEET_LOG } from '../../../infra/log/port.ts';
import type { Core } from '../../core/core.ts';
import { askedBy, submit, type Taker } from '../commands.ts';
import type { Route } from '../edge.ts';
import { notFound } from '../problem.ts';
import { neededReason } from '../schemas/requests.ts';
import { problems } from './problems.ts';

const sealedLog = z
  .object({
    log: z.string(),
    epoch: z.number().describe('the epoch that ended'),
    position: z.string().describe('its last one'),
    stream: z.string().describe('the stream of the store that keeps the epoch'),
    movable: z.string().describe('when moving it offline is safe'),
    how: z.string().describe('what to do in the store then'),
  })
  .meta({ id: 'SealedLog' });

/** What sealing a log answers. */
export type SealedLog = z.infer<typeof sealedLog>;

export const sealLog: Route = (api, edge) => {
  const schema = {
    summary: 'Ends the epoch of a log and goes on in the next, so that its history can be moved offline',
    tags: ['events'],
    params: z.object({ log: z.string().max(80) }),
    body: neededReason,
    response: { 200: sealedLog, ...problems },
  };
  const config = { role: 'admin', bus: { kind: 'command', name: 'SealLog', target: 'log', fills: 'log' } } as const;
  api.post('/logs/:log/seal', { schema, config }, async (request, reply) => {
    const { log } = request.params;
    const asked = { asked: askedBy(request), command, reason: request.body.reason };
    const { version, outcome } = await submit(edge, takerOf(edge.core, log), asked, reply);
    const epoch = Number(outcome['epoch']);
    const position = formatPosition(log, version);
    const movable = `after a snapshot at or past ${position} exists`;
    return { log, epoch, position, movable, ...(await edge.logs.offline(log, epoch, version)) };
  });
};

const command = { type: 'SealLog' } as const;

function takerOf(core: Core, log: string): Taker<typeof command> {
  if (log === FLEET_LOG) return core.fleet;
  const zone = [...core.zones.values()].find(({ projection }) => projection.log === log);
  if (zone === undefined) throw notFound('LOG_UNKNOWN', `there is no log "${log}"`);
  return zone.replica;
}
