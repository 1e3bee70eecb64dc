import type { ExecutionContext } from 'ava';
import test from 'ava';
import { goingOf, imageTitle, previewText, proposedMode, resultText, stayingOf } from '../ui/data/pruning.ts';
import { agentRow, secondsBefore } from '../ui/gallery/fixtures.ts';
import { prunedAnswer, pruneAnswer, pruneRow } from '../ui/gallery/pruneRows.ts';
import { dialogNamed } from './support/accessPage.ts';
import { accessibilityProblems, readable } from './support/browser.ts';
import { dashboardSpecs, type WithPage } from './support/dashboard.ts';
import { problem } from './support/fakeGateway.ts';
import { until } from './support/until.ts';

/** Images pruned by hand on the page of an agent: without a browser first, then in one. */

test('a preview says how many go and what that frees, the largest first', (t) => {
  const answer = pruneAnswer('aggressive');
  t.is(previewText(answer), '2 of 4 images go, which frees 10.2 GiB.');
  t.is(previewText(pruneAnswer('normal')), '1 of 4 images goes, which frees 4.1 GiB.');
  t.deepEqual(goingOf(answer).map(imageTitle), ['docker.io/pytorch/pytorch:2.4.0', 'untagged 9b2fd3a7c01e']);
  t.is(stayingOf(answer).map(imageTitle).at(-1), 'docker.io/kasmweb/desktop:1.16.0 and 1 other tag');
});

test('a result counts what was removed and what was skipped, and frees only what was removed', (t) => {
  t.is(resultText(prunedAnswer('aggressive')), '1 image is removed, 1 skipped; that freed 4.1 GiB.');
  t.is(resultText(prunedAnswer('normal')), '1 image is removed; that freed 4.1 GiB.');
  const skipped = [pruneRow({ outcome: 'skipped' })];
  t.is(
    resultText(pruneAnswer('normal', { images: skipped, bytes: 0 })),
    'No image is removed, 1 skipped; that freed 0 B.',
  );
  t.is(resultText(pruneAnswer('normal', { images: [], bytes: 0 })), 'Nothing was left to remove.');
});

test("the agent's own mode is proposed, and the careful one where it removes nothing by itself", (t) => {
  t.is(proposedMode(agentRow({ pruneMode: 'off' })), 'normal');
  t.is(proposedMode(agentRow({ pruneMode: 'aggressive' })), 'aggressive');
});

const agent = agentRow({ lastCheckInAt: secondsBefore(0, Date.now()) });
const { withPage } = dashboardSpecs();

function withAgent(title: string, check: (t: ExecutionContext, opened: WithPage) => Promise<void>): void {
  withPage(title, { fleet: { agents: [agent] }, path: '/#/agents/host-1' }, async (t, opened) => {
    await opened.page.getByRole('button', { name: 'Prune now' }).waitFor();
    await check(t, opened);
  });
}

withAgent(
  'images are pruned after a preview of the chosen mode, and each says what became of it',
  async (t, { gateway, page }) => {
    await page.getByRole('button', { name: 'Prune now' }).click();
    const dialog = await dialogNamed(page, 'Prune images of host-1');
    await dialog.getByText('1 of 4 images goes, which frees 4.1 GiB.').waitFor();
    await dialog.getByLabel('Aggressive:').check();
    await dialog.getByText('2 of 4 images go, which frees 10.2 GiB.').waitFor();
    const going = dialog.getByRole('list', { name: 'What goes' }).getByRole('listitem');
    t.is(
      readable(await going.first().innerText()),
      'docker.io/pytorch/pytorch:2.4.0 6.1 GiB No image definition names it.',
    );
    await dialog.getByText('2 images stay').click();
    await dialog.getByText('A container uses it.').waitFor();
    t.deepEqual(await accessibilityProblems(page), []);
    t.deepEqual(gateway.sent, [], 'nothing is removed by looking');
    await dialog.getByLabel('Reason (optional)').fill('the disk is full');
    const answered = Promise.withResolvers<void>();
    await page.route('**/api/v1/agents/host-1/prune', async (route) => {
      await answered.promise;
      await route.continue();
    });
    await dialog.getByRole('button', { name: 'Remove 2 images' }).click();
    await dialog.getByRole('progressbar', { name: 'Removing images' }).waitFor();
    await dialog.getByText('It goes on when you close this.').waitFor();
    answered.resolve();
    await dialog.getByText('1 image is removed, 1 skipped; that freed 4.1 GiB.').waitFor();
    const done = dialog.getByRole('list', { name: 'What was done' });
    await done.getByText('Skipped: the container engine keeps it: a stopped container was made from it.').waitFor();
    await done.getByText('Removed: it has no tag left.').waitFor();
    t.deepEqual(gateway.sentTo('POST', '/agents/host-1/prune'), [{ mode: 'aggressive', reason: 'the disk is full' }]);
    await dialog.getByRole('button', { name: 'Done' }).click();
    await dialog.waitFor({ state: 'detached' });
  },
);

withAgent('where nothing would go it says what does, and why each image stays', async (t, { gateway, page }) => {
  const images = stayingOf(pruneAnswer('normal'));
  gateway.answers.set('GET /agents/host-1/prune', {
    status: 200,
    body: pruneAnswer('normal', { images: [...images], bytes: 0 }),
  });
  await page.getByRole('button', { name: 'Prune now' }).click();
  const dialog = await dialogNamed(page, 'Prune images of host-1');
  await dialog.getByText('Nothing would go.').waitFor();
  await dialog.getByText('Aggressive also takes images that no image definition names any more.').waitFor();
  await dialog.getByText('Muster did not pull it.').waitFor();
  t.is(await dialog.getByRole('button', { name: /^Remove/ }).count(), 0);
  t.deepEqual(await accessibilityProblems(page), []);
});

withAgent('an agent that does not answer is said, and asked again by hand', async (t, { gateway, page }) => {
  const keys: (string | undefined)[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') keys.push(request.headers()['idempotency-key']);
  });
  const away = problem(503, 'AGENT_UNREACHABLE', 'host-1 does not answer: see whether its agent runs');
  gateway.answers.set('GET /agents/host-1/prune', { status: 503, body: away });
  await page.getByRole('button', { name: 'Prune now' }).click();
  const dialog = await dialogNamed(page, 'Prune images of host-1');
  await dialog.getByText('host-1 does not answer: see whether its agent runs.').waitFor();
  gateway.answers.clear();
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await dialog.getByText('1 of 4 images goes').waitFor();
  gateway.answers.set('POST /agents/host-1/prune', { status: 503, body: away });
  await dialog.getByRole('button', { name: 'Remove 1 image' }).click();
  await dialog.getByText('host-1 does not answer').waitFor();
  gateway.answers.clear();
  await dialog.getByRole('button', { name: 'Remove 1 image' }).click();
  await until(
    'the answer',
    () => dialog.getByText('that freed 4.1 GiB').count(),
    (count) => count === 1,
  );
  t.is(keys.length, 2);
  t.is(keys[0], keys[1], 'the agent may have begun: it is asked for what it did');
});
