import test from 'ava';
import { toContainerView } from '../agent/engine/containerView.ts';
import { containersOutOfMemory, readKernelKills } from '../agent/engine/kernelKills.ts';
import { OomKills } from '../agent/engine/oomKills.ts';
import type { ContainerView } from '../agent/engine/port.ts';
import { engineTest, serialEngineTest } from './support/engineTest.ts';
import { sessionBench } from './support/engineSessions.ts';

const ID = '2c7a698531c4cf17cca63cbecfbc9d823bb74f2e99a291249c3777e916f6b977';
const OTHER = 'f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const LITTLE = 8 * 1_048_576;
/** The kernel tells of ten kills at once, and then leaves some out. */
const KILLED = 9;

function ended(exitCode: number, change: Partial<ContainerView> = {}): ContainerView {
  const view = { sessionId: 's1', containerId: ID, status: 'exited', exitCode, oomKilled: false } as const;
  return { ...view, imageDigest: null, startedAt: null, health: null, ports: [], ...change };
}

test('the kernel names the container of what it killed: by its own limit, in a scope, or as the host ran out', (t) => {
  const line = (constraint: string, group: string) =>
    `6,1906,5679332661,-;oom-kill:constraint=${constraint},nodemask=(null),cpuset=${OTHER},mems_allowed=0,${group},task=tail,pid=8781,uid=0\n`;
  const limit = `oom_memcg=/docker/${ID},task_memcg=/docker/${ID}`;
  const scope = `oom_memcg=/system.slice/docker-${ID}.scope,task_memcg=/system.slice/docker-${ID}.scope`;
  for (const said of [
    line('CONSTRAINT_MEMCG', limit),
    line('CONSTRAINT_MEMCG', scope),
    line('CONSTRAINT_NONE', `global_oom,task_memcg=/docker/${ID}`),
  ])
    t.deepEqual([...containersOutOfMemory(`6,1,1,-;other\n${said}`)], [ID], said);
  t.is(containersOutOfMemory(line('CONSTRAINT_NONE', 'global_oom,task_memcg=/user.slice')).size, 0);
  t.is(containersOutOfMemory(`6,1,1,-;docker0: port 1(veth) of ${ID} entered disabled state\n`).size, 0);
});

test('the kernel is asked once about a container that failed without a reason, and about no other', async (t) => {
  let asked = 0;
  const kills = new OomKills(async () => {
    asked += 1;
    return `oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/docker/${ID},task=x\n`;
  });
  t.deepEqual(await kills.complete([ended(0), ended(137, { oomKilled: true }), ended(137, { exitCode: null })]), [
    ended(0),
    ended(137, { oomKilled: true }),
    ended(137, { exitCode: null }),
  ]);
  t.is(asked, 0);
  for (let round = 0; round < 3; round += 1) {
    const [killed, failed] = await kills.complete([ended(137), ended(1, { containerId: OTHER })]);
    t.deepEqual([killed?.oomKilled, failed?.oomKilled], [true, false]);
  }
  t.is(asked, 1);
});

test('where the kernel may not be asked, the word of the engine stands', async (t) => {
  const kills = new OomKills(() => Promise.resolve(null));
  t.deepEqual(await kills.complete([ended(137), ended(137, { oomKilled: true })]), [
    ended(137),
    ended(137, { oomKilled: true }),
  ]);
  t.is(await readKernelKills('/dev/there-is-no-such-log'), null);
});

test('a container that lost a process and ended well was not killed', (t) => {
  const view = (ExitCode: number, Status = 'exited') =>
    toContainerView(
      {
        Id: ID,
        Image: 'sha256:1',
        State: { Status, ExitCode, OOMKilled: true, StartedAt: '' },
        Config: { Image: 'desktop', Labels: {} },
        NetworkSettings: { Ports: null },
      },
      null,
    );
  t.deepEqual(
    [view(0).oomKilled, view(137).oomKilled, view(1).oomKilled, view(0, 'running').oomKilled],
    [false, true, true, true],
  );
});

serialEngineTest(
  'sessions that are killed for memory in their first moments are told as such, each of them',
  async (t, { host }) => {
    if ((await readKernelKills()) === null) {
      t.log('NOT TESTED: the log of the kernel may not be read here (/dev/kmsg); run this as root');
      t.pass();
      return;
    }
    const { spec, output, view } = sessionBench(t, { host });
    const greedy = Array.from({ length: KILLED }, () => spec('tail /dev/zero', { memoryBytes: LITTLE }));
    await Promise.all(greedy.map(output));
    for (const { sessionId } of greedy)
      t.like(await view(sessionId), { status: 'exited', exitCode: 137, oomKilled: true });
  },
);

engineTest('a session whose program survives what it lost to memory ends by its own word', async (t, { host }) => {
  const { spec, output, view } = sessionBench(t, { host });
  const survivor = spec('tail /dev/zero; echo went on', { memoryBytes: LITTLE });
  t.regex(await output(survivor), /went on/);
  t.like(await view(survivor.sessionId), { status: 'exited', exitCode: 0, oomKilled: false });
});
