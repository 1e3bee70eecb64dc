import type { GpuDevice } from '../../domain/schemas.ts';
import { cdiName } from '../containerSpec.ts';
import type { EngineFacts } from '../engine/port.ts';
import { ok, warning, wrong, type Finding } from './finding.ts';
import type { GpuLooks } from './gpuLook.ts';
import { whyNot, type Look } from './probe.ts';

const CHECK = 'GPUs';
const INSTALL_DRIVER = 'install the NVIDIA driver (Debian: sudo apt-get install nvidia-driver), then reboot';
const INSTALL_TOOLKIT =
  'install nvidia-container-toolkit, then: sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker';
const CDI_BY_UUID = 'sudo nvidia-ctk cdi generate --device-name-strategy=uuid --output=/etc/cdi/nvidia.yaml';

/** Whether the GPUs of this host can be given to sessions, in the words of the agent's own check-in. */
export function judgeGpus({ driver, engine, onPci }: GpuLooks): readonly Finding[] {
  if (driver.kind !== 'seen') return [wrong(CHECK, `nvidia-smi: ${whyNot(driver)}`, 'sudo dmesg | grep -i nvrm')];
  const result = driver.facts;
  switch (result.kind) {
    case 'none':
      return [withoutDriver(engine, onPci)];
    case 'failed':
      return [wrong(CHECK, result.message, 'sudo dmesg | grep -i nvrm; after a driver update: reboot')];
    case 'ok':
      break;
  }
  const { devices } = result;
  if (devices.length === 0) return [ok(CHECK, 'the NVIDIA driver lists no device')];
  const broken = devices.filter((device) => device.usable && device.health === 'failed');
  const others = devices.filter((device) => !broken.includes(device));
  const byReason = [...Map.groupBy(others, (device) => device.unusableReason)];
  return [...aboutBroken(broken), ...byReason.map(([reason, same]) => aboutSome(reason, same, engine))];
}

function withoutDriver(engine: EngineFacts | null, onPci: Look<number>): Finding {
  if (onPci.kind === 'seen' && onPci.facts > 0) {
    return warning(
      CHECK,
      `${count(onPci.facts)} of NVIDIA's on the PCI bus, and no nvidia-smi: no driver`,
      INSTALL_DRIVER,
    );
  }
  if (engine !== null && (engine.runtimes.includes('nvidia') || engine.nvidiaHook)) {
    return warning(CHECK, 'the engine has the NVIDIA runtime, and there is no nvidia-smi: no driver', INSTALL_DRIVER);
  }
  return ok(CHECK, 'none: there is no NVIDIA driver');
}

function aboutBroken(broken: readonly GpuDevice[]): readonly Finding[] {
  const mend = 'nvidia-smi -q says more; it may need a reset, or to be replaced';
  const byReason = [...Map.groupBy(broken, (device) => device.healthReason)];
  return byReason.map(([reason, same]) =>
    wrong(CHECK, `${named(same)} failed: ${reason ?? 'no session gets it'}`, mend),
  );
}

function aboutSome(reason: string | null, same: readonly GpuDevice[], engine: EngineFacts | null): Finding {
  const [first] = same;
  if (reason === null) {
    return ok(CHECK, `${named(same)} (${first?.model}, driver ${first?.driver ?? 'unknown'}) can be given to sessions`);
  }
  const text = `${named(same)}: ${reason}`;
  if (engine === null || first?.migMode === 'on') return warning(CHECK, text);
  const byIndex = same.some((each) => engine.cdiDevices.includes(cdiName(String(each.index))));
  return wrong(CHECK, text, byIndex ? CDI_BY_UUID : INSTALL_TOOLKIT);
}

function named(devices: readonly GpuDevice[]): string {
  return `${devices.length === 1 ? 'GPU' : 'GPUs'} ${devices.map((each) => each.index).join(', ')}`;
}

function count(devices: number): string {
  return devices === 1 ? '1 device' : `${devices} devices`;
}
