import { problem } from '../schemas/views.ts';

/** What any route may answer besides its own, for the OpenAPI document. Problems are sent as problem details. */
export const problems = {
  '4xx': { description: 'Refused', content: { 'application/problem+json': { schema: problem } } },
  '5xx': { description: 'Not possible now', content: { 'application/problem+json': { schema: problem } } },
};
