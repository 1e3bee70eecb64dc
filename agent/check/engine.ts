import { ok, warning, wrong, type Finding } from './finding.ts';
import { failedWith, whyNot, type Look } from './probe.ts';
import type { EngineAccount } from './engineApi.ts';

const CHECK = 'engine';
/** Docker 20.10: the first with the one-shot measurement of a container. */
const LEAST_API = '1.41';
/** They copy a whole image for each container, or were given up by Docker. */
const POOR_DRIVERS = new Set(['vfs', 'devicemapper', 'aufs', 'overlay']);

/** Whether the container engine answers, and whether it is one to work with. `host` is DOCKER_HOST. */
export function judgeEngine(host: string, look: Look<EngineAccount>): readonly Finding[] {
  if (look.kind !== 'seen') return [unreachable(host, look)];
  const { version, apiVersion, storageDriver } = look.facts;
  const said = `version ${version} (API ${apiVersion}) at ${host}`;
  if (isOlder(apiVersion, LEAST_API)) {
    return [wrong(CHECK, `${said} is too old`, `install Docker 20.10 or newer (API ${LEAST_API})`)];
  }
  const storage = POOR_DRIVERS.has(storageDriver)
    ? warning(
        'storage',
        `the storage driver ${storageDriver} is slow and takes much disk`,
        'set "storage-driver": "overlay2" in /etc/docker/daemon.json; the engine pulls its images anew then',
      )
    : ok('storage', `the storage driver is ${storageDriver}`);
  return [ok(CHECK, said), storage];
}

function unreachable(host: string, look: Exclude<Look<EngineAccount>, { kind: 'seen' }>): Finding {
  const socket = host.startsWith('unix://') ? host.slice('unix://'.length) : null;
  if (failedWith(look, 'ADDRESS_UNSUPPORTED', 'ENGINE_ANSWER_UNKNOWN')) {
    return wrong(CHECK, whyNot(look), 'set DOCKER_HOST to where the container engine listens');
  }
  if (look.kind === 'late' || failedWith(look, 'ABORT_ERR', 'ETIMEDOUT')) {
    return wrong(
      CHECK,
      `${host} takes connections and does not answer in time`,
      'look at its load and its log (journalctl -u docker -n 50), then: sudo systemctl restart docker',
    );
  }
  if (failedWith(look, 'EACCES', 'EPERM')) {
    return wrong(
      CHECK,
      `this user may not open ${socket ?? host}`,
      'sudo usermod -aG docker "$(id -un)", then sign in anew (a service: restart it)',
    );
  }
  if (failedWith(look, 'ENOENT', 'ENOTDIR')) {
    return wrong(
      CHECK,
      `there is no socket ${socket ?? host}: no engine is installed, it does not run, or it listens elsewhere`,
      'sudo systemctl start docker; without Docker first: sudo apt-get install docker.io; elsewhere: set DOCKER_HOST',
    );
  }
  if (failedWith(look, 'ECONNREFUSED')) {
    return wrong(CHECK, `nobody listens at ${host}: the engine does not run`, 'sudo systemctl start docker');
  }
  return wrong(CHECK, `${host} cannot be asked: ${whyNot(look)}`, 'look at its log: journalctl -u docker -n 50');
}

/** `1.9` is older than `1.41`. */
function isOlder(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
