import { engineTest, serialEngineTest } from './support/engineTest.ts';
import { sessionBench } from './support/engineSessions.ts';

/** The limits of a session as its own program meets them. */

const MIB = 1_048_576;
const PIDS_LIMIT = 4_096;

engineTest(
  'shared memory is as large as the image asks, and as engines have it when it does not',
  async (t, { host }) => {
    const { spec, output } = sessionBench(t, { host });
    const kilobytes = async (shmBytes: number | null): Promise<number> =>
      Number((await output(spec("df -k /dev/shm | tail -n1 | awk '{print $2}'", { shmBytes }))).trim());
    t.is(await kilobytes(80 * MIB), 80 * 1_024);
    t.is(await kilobytes(null), 64 * 1_024);
  },
);

engineTest('shared memory cannot be filled beyond its size', async (t, { host }) => {
  const { spec, output } = sessionBench(t, { host });
  const said = await output(spec('dd if=/dev/zero of=/dev/shm/x bs=1M count=9', { shmBytes: 8 * MIB }));
  t.regex(said, /No space left on device/);
  t.regex(said, /8\+0 records out/);
});

serialEngineTest('a fork bomb ends at the number of processes that a session may have', async (t, { host }) => {
  const { spec, output } = sessionBench(t, { host });
  const bomb = "made=0; trap 'echo made $made' EXIT; while :; do sleep 2147483647 & made=$((made + 1)); done";
  const said = await output(spec(bomb, { memoryBytes: 4_096 * MIB }));
  t.regex(said, /can't fork/);
  t.is(/made (\d+)/.exec(said)?.[1], String(PIDS_LIMIT - 1), 'the shell itself is one');
});

serialEngineTest('a quota holds a session down however idle the host is, shares do not', async (t, { host }) => {
  const { spec, output } = sessionBench(t, { host });
  const burnt = async (cpuMode: 'quota' | 'shares'): Promise<number> => {
    const said = await output(spec("timeout 2 sh -c 'while :; do :; done'; times", { cpuMode, millicores: 200 }));
    const [, minutes = '', seconds = ''] = /^\S+ \S+\n(\d+)m([\d.]+)s/m.exec(said) ?? [];
    return Number(minutes) * 60 + Number(seconds);
  };
  const [quota, shares] = [await burnt('quota'), await burnt('shares')];
  t.log(`of 2 s: ${quota} s with a quota of 0.2 cores, ${shares} s with shares`);
  t.true(quota >= 0.1 && quota <= 0.6, `${quota} s`);
  t.true(shares > quota, `${shares} s`);
});

engineTest('a session has its memory and no more', async (t, { host }) => {
  const { spec, output, view } = sessionBench(t, { host });
  const takes = (megabytes: number) => `dd if=/dev/zero of=/dev/null bs=${megabytes}M count=1; echo "code $?"`;
  const fits = spec(takes(40), { memoryBytes: 64 * MIB });
  t.regex(await output(fits), /code 0/);
  const tooMuch = spec(takes(80), { memoryBytes: 64 * MIB });
  t.regex(await output(tooMuch), /code 137/);
  t.is((await view(tooMuch.sessionId)).exitCode, 0);
});
