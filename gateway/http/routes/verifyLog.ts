import { z } from 'zod';
import type { Route } from '../edge.ts';
import { logPlace } from './logPlace.ts';
import { problems } from './problems.ts';

const verification = z
  .object({
    log: z.string(),
    intact: z.boolean(),
    commits: z.number(),
    events: z.number(),
    first: z.string().describe('the first position that is there; what comes before it was moved offline'),
    head: z.string().describe('the last position that could be read and trusted'),
    hash: z.string().describe('SHA-256 of the commit at the head, which chains all before it'),
    problem: z.string().nullable(),
  })
  .meta({ id: 'Verification' });

export const verifyLog: Route = (api, { core, logReader }) => {
  const schema = {
    summary: 'Reads a whole log and verifies its chain of hashes',
    tags: ['events'],
    params: z.object({ log: z.string().max(80) }),
    response: { 200: verification, ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'verification' } } as const;
  api.get('/logs/:log/verification', { schema, config }, (request) => {
    return logReader.verify(logPlace(core, request.params.log, undefined).log);
  });
};
