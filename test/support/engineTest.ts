import test, { type ExecutionContext } from 'ava';
import { ENGINE_VARIABLE, testEngine, type TestEngine } from './engine.ts';

type EngineSpec = (t: ExecutionContext, engine: TestEngine) => Promise<void>;

const shared = process.env[ENGINE_VARIABLE];
const skips = shared === 'none';
/** An older engine knows no CDI; of one that was not started yet the best is believed. */
const skipsCdi = skips || (shared !== undefined && !(JSON.parse(shared) as TestEngine).knowsCdi);

/**
 * A test that needs a container engine. A run without one skips it; a test file that is run alone finds out by itself
 * and says so. With CI set, both are failures of the run.
 */
export function engineTest(title: string, run: EngineSpec): void {
  (skips ? test.skip : test)(title, onEngine(run));
}

/** The same for a test that needs the engine to know CDI devices. */
export function cdiTest(title: string, run: EngineSpec): void {
  const unlessOlder: EngineSpec = async (t, engine) => {
    if (engine.knowsCdi) return run(t, engine);
    t.log(`NOT TESTED: Docker ${engine.version} knows no CDI`);
    t.pass();
  };
  (skipsCdi ? test.skip : test)(title, onEngine(unlessOlder));
}

/** The same for a test that must not share the machine with the others of its file. */
export function serialEngineTest(title: string, run: EngineSpec): void {
  (skips ? test.serial.skip : test.serial)(title, onEngine(run));
}

function onEngine(run: EngineSpec): (t: ExecutionContext) => Promise<void> {
  return async (t) => {
    const engine = await testEngine(t);
    if (engine === null) {
      t.log('NOT TESTED: no container engine can run here');
      t.pass();
      return;
    }
    await run(t, engine);
  };
}
