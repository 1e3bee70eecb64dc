import { request } from 'node:http';

const LIMIT_MS = 500;

/** One sentence about the container engine. It may start later; the agent notices by itself. */
export async function engineHint(dockerHost: string): Promise<string> {
  const missing = `${dockerHost} does not answer yet; sessions can start once it does`;
  if (!dockerHost.startsWith('unix://')) return dockerHost;
  const answer = await ping(dockerHost.slice('unix://'.length));
  return answer === undefined ? dockerHost : answer === 'EACCES' ? `${dockerHost} (this user may not use it)` : missing;
}

/** Undefined when it answers, else the code of the failure. */
function ping(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/_ping', timeout: LIMIT_MS }, (response) => {
      response.resume();
      resolve(undefined);
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.once('error', (error) => resolve('code' in error && error.code === 'EACCES' ? 'EACCES' : 'NO_ANSWER'));
    asked.end();
  });
}
