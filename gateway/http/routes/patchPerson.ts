import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { ACCESS_BODY_LIMIT, ACCESS_LIMIT } from '../rateLimits.ts';
import { personParams, personPatch, personRow } from '../schemas/people.ts';
import { personOr404, rowOfPerson } from './people.ts';
import { problems } from './problems.ts';

export const patchPerson: Route = (api, edge) => {
  const schema = {
    summary: 'Gives a person another role, which holds at once',
    tags: ['people'],
    params: personParams,
    body: personPatch,
    response: { 200: personRow, ...problems },
  };
  const config = { role: 'admin', rateLimit: ACCESS_LIMIT } as const;
  api.patch('/people/:personId', { schema, config, bodyLimit: ACCESS_BODY_LIMIT }, async (request, reply) => {
    const { personId } = request.params;
    const { role, reason } = request.body;
    const command = { type: 'ChangePersonRole', personId, role } as const;
    await submit(edge, edge.core.fleet, { asked: askedBy(request), command, reason }, reply);
    return rowOfPerson(edge, personOr404(edge, personId));
  });
};
