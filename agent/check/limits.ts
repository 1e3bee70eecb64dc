import { ok, warning, wrong, type Finding } from './finding.ts';
import type { EngineAccount } from './engineApi.ts';

const CHECK = 'limits';
const AT_BOOT =
  'add "cgroup_enable=memory swapaccount=1" to GRUB_CMDLINE_LINUX in /etc/default/grub, sudo update-grub, and reboot';
const KERNEL = 'boot a kernel of the distribution; in a virtual machine or container, let its host pass the cgroup on';

/** Whether a session can be held to its memory, CPU and number of processes. Null: the engine did not answer. */
export function judgeLimits(engine: EngineAccount | null): readonly Finding[] {
  if (engine === null) return [warning(CHECK, 'not looked at, because the engine does not answer')];
  const { memory, swap, cpuQuota, cpuShares, pids } = engine.limits;
  const missing: Finding[] = [];
  if (memory === false) {
    missing.push(wrong(CHECK, 'the kernel limits no memory: one session could take all of the host', AT_BOOT));
  } else if (swap === false) {
    missing.push(warning(CHECK, "the kernel does not count swap: a session's swap has no limit", AT_BOOT));
  }
  if (cpuQuota === false)
    missing.push(warning(CHECK, 'the kernel knows no CPU quota: sessions may take more CPU than theirs', KERNEL));
  if (cpuShares === false)
    missing.push(warning(CHECK, 'the kernel knows no CPU shares: sessions crowd out one another', KERNEL));
  if (pids === false)
    missing.push(
      warning(CHECK, 'the kernel limits no number of processes: one session could start them without end', KERNEL),
    );
  if (engine.forwarding === false) {
    missing.push(
      warning(CHECK, 'IPv4 forwarding is off: sessions reach nothing outside', 'sudo sysctl -w net.ipv4.ip_forward=1'),
    );
  }
  const open = engine.warnings.find((each) => /accessible on .* without encryption/i.test(each));
  if (open !== undefined) {
    missing.push(
      warning(
        CHECK,
        `the engine's API is open to everybody who reaches its port: ${open.replace(/^\[?[A-Z ]+\]?: /, '').split('\n')[0]}`,
        'remove "hosts" with tcp:// from /etc/docker/daemon.json, then: sudo systemctl restart docker',
      ),
    );
  }
  if (missing.length > 0) return missing;
  return [ok(CHECK, `cgroup v${engine.cgroupVersion}: memory, swap, CPU and processes of a session are limited`)];
}
