/**
 * How data of an old event becomes data of the next schema version: `upcasters[type][version]` takes data of that version
 * and gives data of `version + 1`. So the current version of a type is one more than its number of upcasters. Only the
 * codec uses them; the stored bytes, and with them the hash, stay what they were.
 */
type Upcaster = (data: unknown) => unknown;
export type Upcasters = Readonly<Record<string, Readonly<Record<number, Upcaster>>>>;

export const UPCASTERS: Upcasters = {
  AgentBooted: { 1: (data) => ({ ...Object(data), observedAt: null }) },
  AgentEnrolled: { 1: (data) => ({ ...Object(data), fingerprint: null }) },
  AgentHardwareChanged: { 1: withHealthReasons },
  AgentLeft: { 1: (data) => ({ ...Object(data), approval: null }) },
  ImageDefined: { 1: withoutSelectors },
  ImageRevised: { 1: withoutSelectors },
  SessionRequested: { 1: withoutSelectors },
  SessionStarted: { 1: (data) => ({ ...Object(data), imageDigest: null }) },
};

/** Images of version 1 did not look at labels: they run with any. */
function withoutSelectors(data: unknown): unknown {
  const lifted = (image: unknown) => ({ ...Object(image), includeLabels: [], excludeLabels: [] });
  const { image, previous, ...rest } = Object(data);
  return { ...rest, image: lifted(image), ...(previous === undefined ? {} : { previous: lifted(previous) }) };
}

/** Version 1 did not tell why a device is not healthy. */
function withHealthReasons(data: unknown): unknown {
  const { hardware, previous, ...about } = Object(data);
  return { ...about, hardware: reasonsOf(hardware), previous: previous === null ? null : reasonsOf(previous) };
}

function reasonsOf(hardware: unknown): unknown {
  const { gpus, ...rest } = Object(hardware);
  if (!Array.isArray(gpus)) return hardware;
  return { ...rest, gpus: gpus.map(withoutReason) };
}

function withoutReason(gpu: unknown): unknown {
  return { ...Object(gpu), healthReason: null };
}

export function currentSchemaVersion(type: string, upcasters: Upcasters): number {
  const ofType = upcasters[type];
  return ofType === undefined ? 1 : Object.keys(ofType).length + 1;
}

/** Data of the current version, from data of `version`. */
export function upcast(type: string, version: number, data: unknown, upcasters: Upcasters): unknown {
  let current = data;
  for (let from = version; from < currentSchemaVersion(type, upcasters); from += 1) {
    const step = upcasters[type]?.[from];
    if (step === undefined) throw new RangeError(`no upcaster for ${type} from version ${from}`);
    current = step(current);
  }
  return current;
}
