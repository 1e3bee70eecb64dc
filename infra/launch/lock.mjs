// One installation at a time. The lock is a folder beside node_modules (npm deletes what is inside node_modules); it
// holds the process ids of the launcher and of its npm, because npm goes on when only the launcher is killed.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = '.install-lock';
const POLL_MS = 200;

/** Runs `work(recordNpm)` while holding the lock. Waits for a living holder, takes over from a dead one. */
export async function withInstallLock(root, say, work) {
  const lock = join(root, NAME);
  let told = false;
  for (;;) {
    if (tryTake(root, lock)) break;
    const holder = livingHolder(lock);
    if (holder === undefined) {
      removeStale(root, lock);
      continue;
    }
    if (!told) say(`another start is installing (process ${holder}); waiting for it`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  try {
    await work((pid) => writeFileSync(join(lock, identity(pid)), ''));
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** The folder is filled first and then renamed, so that nobody ever sees a lock without its holder. */
function tryTake(root, lock) {
  const own = join(root, `${NAME}-${process.pid}`);
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own);
  writeFileSync(join(own, identity(process.pid)), '');
  try {
    renameSync(own, lock);
    return true;
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false;
    throw error;
  }
}

function livingHolder(lock) {
  try {
    return readdirSync(lock).find(isAlive)?.split('-')[0];
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Moved aside first: of two that find a dead holder only one gets it. A lock that came alive meanwhile goes back. */
function removeStale(root, lock) {
  const aside = join(root, `${NAME}-stale-${process.pid}`);
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (livingHolder(aside) !== undefined && !existsSync(lock)) renameSync(aside, lock);
  else rmSync(aside, { recursive: true, force: true });
}

/** Process id and start time: an id alone is used again by other processes. */
function identity(pid) {
  return `${pid}-${startTime(pid)}`;
}

function isAlive(name) {
  const [pid, started] = name.split('-').map(Number);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
    if (error.code !== 'EPERM') throw error;
  }
  return startTime(pid) === started;
}

/** Clock ticks since boot at which the process started; 0 where there is no /proc. */
function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return 0;
    throw error;
  }
}
