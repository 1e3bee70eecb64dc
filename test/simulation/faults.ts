import type { Sources } from './random.ts';

/** One way in which things go wrong. `least` to `most` is what a world draws from when it has the fault at all. */
interface FaultKind {
  readonly unit: 'ms' | 'share' | 'per 100 steps' | 'commits';
  readonly what: string;
  readonly least: number;
  readonly most: number;
  /** Share of the worlds that have it. */
  readonly worlds: number;
}

/** Every fault there is. A world has some of them, at rates of its own, and 0 of the others. */
export const FAULTS = {
  delay: kind('ms', 'a message takes up to this long, to every receiver another time', 20, 20_000),
  duplicate: kind('share', 'a check-in or a document comes a second time, at once or later', 0.01, 0.3),
  reorder: kind('share', 'a check-in is overtaken by those of the next boot of its agent', 0.01, 0.2),
  'lost message': kind('share', 'a check-in, the news of a document or an append never arrives', 0.01, 0.2),
  'lost ack': kind('share', 'a commit is written and the answer is lost', 0.01, 0.15),
  'late append': kind('share', 'the answer to an append is lost, and the commit arrives seconds later', 0.005, 0.08),
  'broken read': kind('share', 'reading the log breaks off at a commit', 0.0005, 0.005),
  'refused document': kind('share', 'the bus does not take a desired document', 0.01, 0.3),
  'slow disk': kind('ms', 'a quarter of the appends takes from 100 ms up to this long', 200, 5000),
  'log outage': kind('per 100 steps', 'the log alone is away, for up to 20 s', 0.5, 5),
  'store outage': kind('per 100 steps', 'one gateway, or all, lose the log and nothing else, for up to 60 s', 0.3, 5),
  'bus outage': kind('per 100 steps', 'log, check-ins and documents are away together, for up to 90 s', 0.3, 5),
  'wiped bucket': kind('per 100 steps', 'all desired documents vanish while the fleet runs', 0.3, 2, 0.25),
  'agent crash': kind('per 100 steps', 'an agent ends, by a crash or a signal, and starts again', 1, 20),
  'agent cut off': kind('per 100 steps', 'one agent loses the bus, for up to 12 intervals between check-ins', 1, 20),
  'engine failure': kind('share', 'a start or a pull fails, or its answer is lost', 0.01, 0.3),
  'engine outage': kind('per 100 steps', 'a container engine is down, for up to 30 s', 1, 12),
  'gpu failure': kind('per 100 steps', 'a driver reports a device as failed, for up to 60 s', 1, 12),
  'gateway crash': kind('per 100 steps', 'one gateway, or all of them, ends and starts again', 0.5, 10),
  'two controllers': kind('per 100 steps', 'every gateway believes that it leads, for up to 30 s', 0.5, 5),
  'clock skew': kind('ms', "a gateway's clock is off by up to this, either way", 50, 1900),
  'clock jump': kind('ms', "now and then a gateway's clock jumps by up to this and back again", 1000, 120_000, 0.3),
  'host clock': kind('ms', "a host's clock is off by up to this, and set anew at some starts", 100, 120_000, 0.3),
  'restored backup': kind('commits', "at the end the zone's log is cut back by so many", 20, 300, 0.15),
} as const satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof FAULTS;

/** What may go wrong just now, in the units of the table; 0 is never. The calm phase sets everything to 0. */
export type Faults = Record<FaultName, number>;

export const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[];

/** Clock jumps have their size as rate; this is how often they come, per 100 steps. */
export const JUMPS_PER_100_STEPS = 2;

export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FAULTS, name);
}

/** The faults of one world. `only` names those that it has, whatever the seed says. */
export function drawFaults(sources: Sources, only: readonly FaultName[] | null): Faults {
  const faults = noFaults();
  for (const name of FAULT_NAMES) {
    const { least, most, unit, worlds } = FAULTS[name];
    const random = sources(`rate of ${name}`);
    const drawn = random.chance(worlds);
    const rate = random.magnitude(least, most);
    if (only === null ? drawn : only.includes(name))
      faults[name] = unit === 'ms' || unit === 'commits' ? Math.round(rate) : rate;
  }
  return faults;
}

export function noFaults(): Faults {
  return Object.fromEntries(FAULT_NAMES.map((name) => [name, 0])) as Faults;
}

/** `lost ack 0.031, delay 120 ms`, for people. */
export function describeFaults(faults: Faults): string {
  const on = FAULT_NAMES.filter((name) => faults[name] > 0);
  if (on.length === 0) return 'none';
  return on.map((name) => `${name} ${Number(faults[name].toPrecision(2))} ${FAULTS[name].unit}`).join(', ');
}

/** One line per fault: name, range, unit, share of worlds, what it does. */
export function faultTable(): string {
  const rows = FAULT_NAMES.map((name) => {
    const { least, most, unit, worlds, what } = FAULTS[name];
    const range = `${least} to ${most} ${unit}`;
    return `${name.padEnd(17)} ${range.padEnd(27)} ${String(Math.round(worlds * 100)).padStart(3)} %  ${what}`;
  });
  return [`${'fault'.padEnd(17)} ${'when a world has it'.padEnd(27)} worlds  what`, ...rows].join('\n');
}

function kind(unit: FaultKind['unit'], what: string, least: number, most: number, worlds = 0.5): FaultKind {
  return { unit, what, least, most, worlds };
}
