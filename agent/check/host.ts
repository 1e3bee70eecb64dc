import { hostname } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../infra/clock.ts';
import type { Environment } from '../../infra/config/file.ts';
import { isCredentialError, presentCredential } from '../credential.ts';
import { parseDockerHost } from '../engine/address.ts';
import { askBus, judgeBus, type BusLook, type BusSetting } from './bus.ts';
import { judgeClock } from './clock.ts';
import { judgeConfiguration, lookAtConfiguration, type ConfigLook } from './configuration.ts';
import { judgeData, readLedger, tryDataFolder } from './dataFolder.ts';
import { descriptorLimit, judgeDescriptors } from './descriptors.ts';
import { diskSpaceAt, judgeDisk } from './disk.ts';
import { judgeEngine } from './engine.ts';
import { askEngine } from './engineApi.ts';
import type { Finding } from './finding.ts';
import { lookAtGpus } from './gpuLook.ts';
import { judgeGpus } from './gpus.ts';
import { judgeLimits } from './limits.ts';
import { probe, type Look } from './probe.ts';
import { hostAddresses, judgeSessionAddress } from './sessionAddress.ts';

/** Each look has this long; so nothing that hangs hides what else there is to say. */
const LIMIT_MS = 3000;
/** The bus itself waits for a gateway before it says no, and an agent that is let in asks one. */
const BUS_LIMIT_MS = 15_000;

export type HostCheck = {
  readonly agentId: string;
  readonly zone: string;
  /** In the order in which an operator would mend them. */
  readonly findings: readonly Finding[];
};

/** Looks at everything that an agent needs of its host, all at once. `onWaiting` is told the names of the looks under way. */
export async function checkHost(
  environment: Environment,
  onWaiting: (names: readonly string[]) => void,
): Promise<HostCheck> {
  const look = lookAtConfiguration(environment);
  const { config } = look;
  const waiting = new Set<string>();
  const tracked = async <T>(name: string, work: Promise<T>): Promise<T> => {
    waiting.add(name);
    onWaiting([...waiting]);
    try {
      return await work;
    } finally {
      waiting.delete(name);
      onWaiting([...waiting]);
    }
  };
  const [engine, gpus, bus, data, descriptors] = await Promise.all([
    tracked('engine', engineFindings(config.dockerHost)),
    tracked('GPUs', lookAtGpus(config.dockerHost, LIMIT_MS)),
    tracked('bus', busFindings(look)),
    tracked('data folder', dataFindings(config.dataDir)),
    tracked('descriptors', probe(LIMIT_MS, descriptorLimit)),
  ]);
  return {
    agentId: config.agentId,
    zone: config.zone,
    findings: [
      ...judgeConfiguration(look),
      ...data,
      ...engine,
      ...judgeGpus(gpus),
      judgeSessionAddress(config.sessionAddress, hostAddresses()),
      judgeDescriptors(descriptors),
      ...bus,
    ],
  };
}

async function engineFindings(host: string): Promise<readonly Finding[]> {
  const account = await probe(LIMIT_MS, async () => await askEngine(parseDockerHost(host), LIMIT_MS));
  const facts = factsOf(account);
  // An engine on another machine has its disk there.
  const root = facts !== null && host.startsWith('unix://') ? facts.dataRoot : null;
  const disk = root === null ? null : await probe(LIMIT_MS, () => diskSpaceAt(root));
  return [...judgeEngine(host, account), ...judgeLimits(facts), judgeDisk(root, disk)];
}

async function busFindings(look: ConfigLook): Promise<readonly Finding[]> {
  const setting = await lookAtBus(look);
  const seen = setting.kind === 'set' ? setting.looks.map(({ look }) => factsOf(look)) : [];
  const telling = seen.find((account) => account !== null && account.time !== null);
  return [...judgeBus(setting), judgeClock(telling ?? null)];
}

async function lookAtBus({ config, file }: ConfigLook): Promise<BusSetting> {
  const { natsUrl, natsTls, agentId, dataDir, managerTokenFile: managerToken } = config;
  if (natsUrl === undefined) return { kind: 'none', alone: file !== null };
  try {
    const credential = await presentCredential({ secret: join(dataDir, 'agent', 'credential'), managerToken });
    const asker = { agentId, host: { hostname: hostname().slice(0, 255), simulated: false }, credential };
    const looks = natsUrl.split(',').map(async (url): Promise<BusLook> => ({
      url,
      look: await probe(BUS_LIMIT_MS, () => askBus(url, asker, realClock, natsTls)),
    }));
    return { kind: 'set', looks: await Promise.all(looks), fingerprint: credential?.fingerprint ?? null };
  } catch (error) {
    if (isCredentialError(error)) return { kind: 'unarmed', why: error.message };
    throw error;
  }
}

async function dataFindings(dataDir: string): Promise<readonly Finding[]> {
  const [trial, ledger] = await Promise.all([
    probe(LIMIT_MS, () => tryDataFolder(dataDir)),
    probe(LIMIT_MS, () => readLedger(dataDir)),
  ]);
  return judgeData({ dataDir, uid: process.getuid?.() ?? null, trial, ledger });
}

function factsOf<Facts>(look: Look<Facts>): Facts | null {
  return look.kind === 'seen' ? look.facts : null;
}
