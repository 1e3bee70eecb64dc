import { z } from 'zod';
import { formatPosition } from '../../../domain/commit.ts';
import { FLEET_LOG } from '../../../infra/log/port.ts';
import { logStream } from '../../../infra/names.ts';
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
    stream: z.string().describe('where the epoch is kept: what can be moved offline'),
    movable: z.string().describe('when moving it is safe'),
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
  api.post('/logs/:log/seal', { schema }, async (request, reply) => {
    const { log } = request.params;
    const asked = { asked: askedBy(request), command, reason: request.body.reason };
    const { version, outcome } = await submit(edge, takerOf(edge.core, log), asked, reply);
    const epoch = Number(outcome['epoch']);
    const position = formatPosition(log, version);
    const movable = `after a snapshot at or past ${position} exists`;
    return { log, epoch, position, stream: logStream(log, epoch), movable };
  });
};

const command = { type: 'SealLog' } as const;

function takerOf(core: Core, log: string): Taker<typeof command> {
  if (log === FLEET_LOG) return core.fleet;
  const zone = [...core.zones.values()].find(({ projection }) => projection.log === log);
  if (zone === undefined) throw notFound('LOG_UNKNOWN', `there is no log "${log}"`);
  return zone.replica;
}
