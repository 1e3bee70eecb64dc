import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findChromium } from '../infra/tools/chromium.ts';
import { findNatsServer } from '../infra/tools/natsServer.ts';
import { ensureTestEngine } from './support/engine.ts';
import { TapReport } from './support/tapReport.ts';

/**
 * `npm test [-- FILE …]`: brings the real parts that the specs run on (nats-server, a container engine of their own,
 * Chromium, the built dashboard), runs AVA, and ends with `N passed, N failed`. Where a part cannot be had, what it would
 * have tested is skipped and named; with CI set that is a failure.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const startedAt = performance.now();

function say(text: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
  process.stderr.write(`${seconds} s  ${text}\n`);
}

/** A part that the tests can do without: its absence is loud, and in CI fatal. */
async function optional<Part>(name: string, find: () => Promise<Part | null>): Promise<Part | null> {
  try {
    const part = await find();
    if (part !== null) say(`${name}: ready`);
    return part;
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    say(`${name}: NOT AVAILABLE, what needs it is skipped. ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

async function buildDashboard(): Promise<void> {
  const build = spawn(process.execPath, [join(ROOT, 'ui', 'build.mjs')], { cwd: ROOT, stdio: 'inherit' });
  const [code]: unknown[] = await once(build, 'exit');
  if (code !== 0) throw new Error(`the dashboard could not be built (exit code ${String(code)})`);
  say('dashboard: built');
}

async function runAva(patterns: readonly string[]): Promise<TapReport> {
  const ava = join(ROOT, 'node_modules', 'ava', 'entrypoints', 'cli.js');
  const child = spawn(process.execPath, [ava, '--tap', ...patterns], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.once('SIGINT', forward).once('SIGTERM', forward);
  const report = new TapReport((line) => process.stdout.write(`${line}\n`));
  const exited = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) report.line(line);
  const [code]: unknown[] = await exited;
  if (code !== 0 && report.failed === 0)
    report.addFailure(`AVA ended with exit code ${String(code)} and no failed test`);
  if (report.passed === 0) report.addFailure('no test ran');
  return report;
}

/** New worlds of the fleet simulation, other ones every time: one line of the total. The output has the failures. */
async function simulateNewWorlds(report: TapReport, minutes: number): Promise<void> {
  const soak = join(ROOT, 'test', 'simulation', 'soak.ts');
  const child = spawn(process.execPath, [soak, '--minutes', String(minutes)], { cwd: ROOT, stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.once('SIGINT', forward).once('SIGTERM', forward);
  const [code]: unknown[] = await once(child, 'exit');
  const title = `in new worlds for ${minutesText(minutes)} every invariant holds and everything settles`;
  if (code === 0) report.addPass(title);
  else report.addFailure(title);
}

function minutesText(minutes: number): string {
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

say('bringing the real parts that the tests run on');
const engine = await optional('container engine', () => ensureTestEngine((step) => say(`container engine: ${step}`)));
if (engine === null) process.env['MUSTER_TEST_ENGINE'] = 'none';
const found = await Promise.all([
  optional('nats-server', () => findNatsServer({ onProgress: (step) => say(`nats-server: ${step}`) })),
  optional('Chromium', () => findChromium({ onProgress: (step) => say(`Chromium: ${step}`) })),
  buildDashboard(),
]);
if (found[1] === null) process.env['MUSTER_TEST_CHROMIUM'] = 'none';

let report: TapReport;
try {
  say('running');
  report = await runAva(process.argv.slice(2));
} finally {
  await engine?.stop();
}
const minutes = Number(process.env['MUSTER_TEST_NEW_WORLDS_MINUTES'] ?? 0);
if (minutes > 0) {
  say(`simulating new worlds for ${minutesText(minutes)}`);
  await simulateNewWorlds(report, minutes);
}
say('done');
process.stdout.write(`${report.summary()}\n`);
process.exitCode = report.failed > 0 || (process.env['CI'] !== undefined && report.skipped > 0) ? 1 : 0;
