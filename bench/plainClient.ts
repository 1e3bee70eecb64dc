import { request, type Agent } from 'node:http';
import { ADMIN_KEY } from '../test/support/gateway.ts';

/** On a connection that is kept, by Node's plain client: `fetch` would add a third of a millisecond of its own. */
export async function expectAnswer(
  agent: Agent,
  url: string,
  method: string,
  status: number,
  body = '',
): Promise<void> {
  const headers = {
    authorization: `Bearer ${ADMIN_KEY}`,
    ...(body === '' ? {} : { 'content-type': 'application/json' }),
  };
  const asking = request(url, { agent, method, headers });
  asking.end(body);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  asking.once('error', reject);
  asking.once('response', (response) => {
    response.resume();
    response.once('end', resolve);
    if (response.statusCode !== status) reject(new Error(`${method} ${url} answered ${String(response.statusCode)}`));
  });
  await promise;
}
