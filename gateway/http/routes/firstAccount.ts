import type { Person } from '../../../domain/people/state.ts';
import { passwordProblem } from '../../../domain/people/password.ts';
import { isLocalAdmin } from '../../auth/caller.ts';
import { AccessRefused } from '../../auth/errors.ts';
import { askedBy, submit } from '../commands.ts';
import type { Edge, Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { HttpProblem } from '../problem.ts';
import { ACCESS_BODY_LIMIT, ACCESS_LIMIT } from '../rateLimits.ts';
import { firstAccountPost } from '../schemas/access.ts';
import { personRow } from '../schemas/people.ts';
import { beginSession } from '../sessionCookie.ts';
import { personOr404, rowOfPerson } from './people.ts';
import { problems } from './problems.ts';

export const firstAccount: Route = (api, edge) => {
  const { access } = edge;
  const schema = {
    summary: 'Makes the first account, an admin, and signs in as it. For who signed in with a link while there is none',
    tags: ['access'],
    body: firstAccountPost,
    response: { 201: personRow, ...problems },
  };
  const config = { role: 'admin', rateLimit: ACCESS_LIMIT } as const;
  api.post('/first-account', { schema, config, bodyLimit: ACCESS_BODY_LIMIT }, async (request, reply) => {
    const { personId, name, password } = request.body;
    const caller = callerOfRoute(request);
    refuseLater(edge, isLocalAdmin(caller));
    const problem = passwordProblem(password, { personId, name });
    if (problem !== null) throw new AccessRefused('PASSWORD_REFUSED', problem, { field: 'password' });
    if (!isHalfMade(edge, personId)) {
      const command = { type: 'CreatePerson', personId, name, role: 'admin' } as const;
      await submit(edge, edge.core.fleet, { asked: askedBy(request), command }, reply);
    }
    const person = personOr404(edge, personId);
    await access.accounts.setFirst(person, password);
    if (caller.by === 'cookie') await beginSession(access, personId, request, reply);
    reply.code(201);
    return rowOfPerson(edge, person);
  });
};

function refuseLater({ access }: Edge, isLocal: boolean): void {
  if (isLocal && !access.accounts.isAnyAdminReady) return;
  const detail = isLocal
    ? 'an admin can sign in already; further accounts are made under people'
    : "this is for the administrator on the gateway's machine; further accounts are made under people";
  throw new HttpProblem(409, 'FIRST_ACCOUNT_MADE', detail);
}

/** Made by a try that did not come as far as the password: that try goes on. */
function isHalfMade({ core, access }: Edge, personId: string): boolean {
  const person: Person | undefined = core.fleetProjection.state.people.get(personId);
  return person?.role === 'admin' && !access.accounts.hasPassword(person);
}
