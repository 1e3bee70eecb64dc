import { z } from 'zod';
import { peopleInOrder } from '../../../projections/people.ts';
import { fleetPosition } from '../../core/queries.ts';
import type { Route } from '../edge.ts';
import { personRow } from '../schemas/people.ts';
import { rowOfPerson } from './people.ts';
import { problems } from './problems.ts';

export const listPeople: Route = (api, edge) => {
  const schema = {
    summary: 'All people who may sign in',
    tags: ['people'],
    response: { 200: z.object({ people: z.array(personRow), position: z.string() }), ...problems },
  };
  api.get('/people', { schema, config: { role: 'admin' } }, () => ({
    people: peopleInOrder(edge.core.fleetProjection.state).map((person) => rowOfPerson(edge, person)),
    position: fleetPosition(edge.core),
  }));
};
