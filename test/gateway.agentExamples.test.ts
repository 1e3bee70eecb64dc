import type { Page } from 'playwright-core';
import { PruneDesk } from '../agent/prune/desk.ts';
import type { PruneWish } from '../agent/prune/pruner.ts';
import { answerPrune, hearPruneCalls } from '../infra/bus/pruneCalls.ts';
import { realClock } from '../infra/clock.ts';
import { prunedAnswer, pruneAnswer } from '../ui/gallery/pruneRows.ts';
import { dialogNamed } from './support/accessPage.ts';
import { quietLog } from './support/agentRig.ts';
import { accessibilityProblems, readable } from './support/browser.ts';
import { dashboardSpecs } from './support/dashboard.ts';
import type { TestGateway } from './support/gateway.ts';

/** The worked examples of capacity and overrides, as an operator reads them off the page of an agent, on the real gateway. */

const { onRealGateway } = dashboardSpecs();

async function start(muster: TestGateway, agentId: string, cores: number, memory: string): Promise<void> {
  const imageId = `cpus-${cores}`;
  await muster.defineImage(imageId, { name: `${cores} CPUs`, cores, memory });
  await muster.request('POST', '/sessions', { body: { imageId, agentId } });
}

async function override(page: Page, agentId: string) {
  await page.getByRole('button', { name: 'Override capacity' }).click();
  const dialog = await dialogNamed(page, `Override capacity of host-of-${agentId}`);
  const save = async (button = 'Save') => {
    await dialog.getByRole('button', { name: button, exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  return { dialog, cores: dialog.getByLabel('CPU cores'), memory: dialog.getByLabel('Memory', { exact: true }), save };
}

const bars = async (page: Page): Promise<readonly string[]> =>
  (await page.locator('mu-statistic mu-bar p').allInnerTexts()).map(readable);

onRealGateway(
  '6 CPUs overridden to 12 with sessions of 2 and 3 read "5 of 12 CPUs allocated"',
  async (t, { muster, page }) => {
    const host = { agentId: 'six', cores: 6, memoryGib: 6 };
    const agent = await muster.agentOnline(host);
    await start(muster, 'six', 2, '1GiB');
    await start(muster, 'six', 3, '1GiB');
    await page.goto(`${muster.url}/#/agents/six`);
    await page.getByRole('heading', { name: '5 of 6 CPUs allocated' }).waitFor();
    await page.getByText(/^2 % of 6 CPUs used at the last check-in, \d+ s ago$/).waitFor();

    const twelve = await override(page, 'six');
    await twelve.cores.fill('12');
    await twelve.dialog.getByText('12 cores, x2.0 of 6 cores').waitFor();
    const room = twelve.dialog.getByRole('list', { name: 'Room for more sessions' });
    await room.getByText('0 → 3').waitFor();
    t.is(readable(await room.innerText()), '2 CPUs 0 → 3 cores are used up first 3 CPUs 0 → 2 cores are used up first');
    await twelve.dialog.getByLabel('Reason (optional)').fill('small desktops');
    await twelve.save();
    await page.getByRole('heading', { name: '5 of 12 CPUs allocated' }).waitFor();
    await page.getByText('CPU override 12, x2.0 of 6 cores', { exact: true }).waitFor();
    t.regex((await bars(page))[0] ?? '', /^CPU 5 \/ 12 allocated \(42 %\), 0\.1 \/ 6 used \(2 %\), \d+ s ago$/);
    await page.getByRole('list', { name: 'Events' }).getByText('The CPU override was set to 12 cores').waitFor();
    t.deepEqual(await accessibilityProblems(page), []);

    host.cores = 8;
    await agent.refresh();
    await page.getByText('CPU override 12, x1.5 of 8 cores, set when physical was 6, now 8').waitFor();

    const four = await override(page, 'six');
    await four.dialog.getByText('set when physical was 6, now 8').waitFor();
    await four.cores.fill('4');
    await four.dialog.getByText('4 cores, x0.5 of 8 cores').waitFor();
    await four.save();
    await page.getByRole('heading', { name: '5 of 4 CPUs allocated' }).waitFor();
    await page.locator('mu-statistic').getByText('over-allocated by 1 core').waitFor();
    await page.getByRole('list', { name: 'Conditions' }).getByText('OVER_ALLOCATED').waitFor();
    await page.getByText('Online and enabled, 2 sessions on it.').waitFor();

    const unusual = await override(page, 'six');
    await unusual.cores.fill('120');
    await unusual.dialog.getByText('120 cores, x15.0 of 8 cores; unusual, you will be asked to confirm').waitFor();
    await unusual.dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await unusual.dialog.getByText('CONFIRM_NEEDED').waitFor();
    t.is((await muster.agent('six')).coresOverride?.value, 4000, 'not without a second look');
    await unusual.save('Save all the same');
    await page.getByRole('heading', { name: '5 of 120 CPUs allocated' }).waitFor();
  },
);

onRealGateway(
  'memory past RAM is said before it is saved and after: covered by swap, or not',
  async (t, { muster, page }) => {
    await muster.agentOnline({ agentId: 'bare', cores: 6, memoryGib: 6 });
    await page.goto(`${muster.url}/#/agents/bare`);
    await page.getByRole('heading', { name: '0 of 6 CPUs allocated' }).waitFor();
    const bare = await override(page, 'bare');
    await bare.memory.fill('12GB');
    await bare.dialog.getByText('11.2 GiB, x1.9 of 6 GiB').waitFor();
    await bare.dialog.getByText('5.2 GiB not covered by RAM or swap: sessions can be killed').waitFor();
    t.deepEqual(await accessibilityProblems(page), []);
    await bare.save();
    const conditions = page.getByRole('list', { name: 'Conditions' });
    await conditions.getByText('No swap, and memory is overridden above physical').waitFor();
    await start(muster, 'bare', 2, '7GiB');
    await conditions.getByText('1 GiB not covered by RAM or swap: sessions can be killed').waitFor();

    await muster.agentOnline({ agentId: 'swaps', cores: 6, memoryGib: 6, swapGib: 4 });
    await page.goto(`${muster.url}/#/agents/swaps`);
    const swaps = await override(page, 'swaps');
    await swaps.memory.fill('8GiB');
    await swaps.dialog.getByText('2 GiB past physical memory, covered by swap').waitFor();
    await swaps.save();
    t.is(await conditions.count(), 0, 'nothing is promised yet');
    await start(muster, 'swaps', 3, '7GiB');
    await conditions.getByText('1 GiB past physical memory, covered by swap').waitFor();
  },
);

onRealGateway(
  'labels and a prune mode are set on the page, and told in the log with their reason',
  async (t, { muster, page }) => {
    await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
    await page.goto(`${muster.url}/#/agents/six`);
    const settings = page.getByRole('form', { name: 'Settings of host-of-six' });
    await settings.getByLabel('Normal:').check();
    await settings.getByLabel('Labels').fill('gpu=l40, rack=7');
    await settings.getByLabel('Reason (optional)').fill('a card was put in');
    await settings.getByRole('button', { name: 'Save settings' }).click();
    await page.getByText('host-of-six is saved; labels: gpu=l40, rack=7; prune mode normal').waitFor();
    await page.getByRole('heading', { name: 'host-of-six' }).getByText('rack=7').waitFor();
    const events = page.getByRole('list', { name: 'Events' });
    await events.getByText('Its labels were set to gpu=l40, rack=7; before, none.').waitFor();
    t.true((await events.getByText('Reason: a card was put in').count()) >= 1);
    t.like(await muster.agent('six'), { labels: { gpu: 'l40', rack: '7' }, pruneMode: 'normal' });

    await settings.getByLabel('Labels').fill('gpu=a100');
    await muster.request('PATCH', '/agents/six', { body: { labels: { gpu: 'h100' } } });
    await settings.getByText('Somebody has changed these settings meanwhile.').waitFor();
    await settings.getByRole('button', { name: 'Keep what I typed' }).click();
    await settings.getByRole('button', { name: 'Save settings' }).click();
    await page.getByRole('heading', { name: 'host-of-six' }).getByText('gpu=a100').waitFor();
    t.deepEqual((await muster.agent('six')).labels, { gpu: 'a100' });
    t.deepEqual(await accessibilityProblems(page), []);
  },
);

onRealGateway('images are pruned from the page by the agent, after its own preview', async (t, { muster, page }) => {
  const agent = await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const bus = await muster.nats.connect('app');
  const wishes: PruneWish[] = [];
  const desk = new PruneDesk({
    clock: realClock,
    log: quietLog,
    logId: () => agent.document()?.logId ?? null,
    prune: (wish) => {
      wishes.push(wish);
      return Promise.resolve({ ...(wish.dryRun ? pruneAnswer(wish.mode) : prunedAnswer(wish.mode)), agentId: 'six' });
    },
    answer: (callId, answer) => answerPrune(bus, 'six', callId, answer),
  });
  t.teardown(() => desk.close());
  hearPruneCalls(
    bus,
    'six',
    (call) => {
      if (call?.kind === 'prune') desk.take(call);
    },
    (error) => t.fail(error.message),
  );
  await bus.connection.flush();
  await page.goto(`${muster.url}/#/agents/six`);
  await page.getByRole('button', { name: 'Prune now' }).click();
  const dialog = await dialogNamed(page, 'Prune images of host-of-six');
  await dialog.getByText('1 of 4 images goes, which frees 4.1 GiB.').waitFor();
  await dialog.getByLabel('Aggressive:').check();
  await dialog.getByText('2 of 4 images go').waitFor();
  await dialog.getByLabel('Reason (optional)').fill('the disk is full');
  await dialog.getByRole('button', { name: 'Remove 2 images' }).click();
  await dialog.getByText('1 image is removed, 1 skipped; that freed 4.1 GiB.').waitFor();
  t.deepEqual(
    wishes.map(({ mode, dryRun, asker }) => [mode, dryRun, asker?.reason ?? null]),
    [
      ['normal', true, null],
      ['aggressive', true, null],
      ['aggressive', false, 'the disk is full'],
    ],
  );
});
