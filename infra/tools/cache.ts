import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Folder for what was fetched once: `MUSTER_CACHE`, else the user's cache folder. Losing it costs only time. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const own = env['MUSTER_CACHE'];
  if (own !== undefined && own !== '') return resolve(own);
  const users = env['XDG_CACHE_HOME'];
  return join(users !== undefined && users.startsWith('/') ? users : join(homedir(), '.cache'), 'muster');
}
