import { z } from 'zod';
import { formatPosition } from '../../../domain/commit.ts';
import type { Route } from '../edge.ts';
import { problems } from './problems.ts';

const logView = z
  .object({
    log: z.string(),
    logId: z.string().nullable().describe('null while the log is empty'),
    position: z.string().describe('the last position that this gateway has folded'),
    epoch: z.number().describe('the one that is written; a sealed one before it may have been moved offline'),
    role: z.enum(['starting', 'following', 'leading', 'read-only', 'stopped']).describe('of this gateway'),
    leader: z.string().nullable().describe('the gateway that leads the log, as far as this one knows'),
    readOnly: z.string().nullable().describe('why this gateway shows the log and does not write it'),
    snapshots: z
      .array(z.object({ position: z.string(), at: z.string(), bytes: z.number() }))
      .describe('the newest first; a gateway that starts reads the newest and the log behind it'),
  })
  .meta({ id: 'Log' });

const logsView = z.object({
  gatewayId: z.string(),
  kept: z
    .object({ store: z.enum(['NATS JetStream', 'EventStoreDB']), at: z.string().describe('host and port') })
    .describe('where the logs are kept'),
  logs: z.array(logView),
});

/** What `GET /logs` answers. */
export type LogsAnswer = z.infer<typeof logsView>;

export const listLogs: Route = (api, { core, snapshots, logs }) => {
  const schema = {
    summary: 'The event logs, who leads each, and its snapshots',
    tags: ['events'],
    response: { 200: logsView, ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'logs' } } as const;
  api.get('/logs', { schema, config }, async () => ({
    gatewayId: core.gatewayId,
    kept: logs.shown,
    logs: await Promise.all(
      core.replicas.map(async ({ log, replica }) => ({
        log,
        logId: replica.logId,
        position: formatPosition(log, replica.version),
        epoch: replica.view.state.epoch.number,
        role: replica.role,
        leader: replica.leader,
        readOnly: replica.readOnly?.message ?? null,
        snapshots: (await snapshots.list(log)).map(({ version, at, bytes }) => ({
          position: formatPosition(log, version),
          at,
          bytes,
        })),
      })),
    ),
  }));
};
