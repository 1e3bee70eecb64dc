import type { ExecutionContext } from 'ava';
import test from 'ava';
import {
  changedSettings,
  differ,
  labelsFrom,
  labelsProblem,
  rebasedSettings,
  settingChange,
  settingsOf,
  type SettingFields,
} from '../ui/data/agentSettings.ts';
import { agentRow, secondsBefore } from '../ui/gallery/fixtures.ts';
import { accessibilityProblems, readable } from './support/browser.ts';
import { dashboardSpecs, type WithPage } from './support/dashboard.ts';
import { problem } from './support/fakeGateway.ts';
import { until } from './support/until.ts';

/** Everything that is set on an agent, on its page: without a browser first, then in one. */

const BEFORE: SettingFields = { enabled: true, pruneMode: 'off', labels: 'gpu=l40\nrack=7' };

test('labels are lines of a key with a value, or a key alone; spaces and empty lines do not count', (t) => {
  t.deepEqual(labelsFrom(' gpu = l40 \n\nquiet\nnet=10.g, rack=7'), { gpu: 'l40', quiet: '', net: '10.g', rack: '7' });
  t.deepEqual(labelsFrom(' \n'), {});
  t.is(settingsOf(agentRow({ labels: { rack: '7', gpu: 'l40', quiet: '' } })).labels, 'gpu=l40\nquiet\nrack=7');
});

test('a label that cannot be is named with the rule it breaks', (t) => {
  t.is(labelsProblem('gpu=l40\nzone/room=b_2'), null);
  t.is(labelsProblem(''), null);
  t.regex(labelsProblem('rack=7\nGPU=l40') ?? '', /^"GPU=l40": a key is 1 to 63 small letters/);
  t.regex(labelsProblem('=l40') ?? '', /^"=l40": a key is/);
  t.regex(labelsProblem('gpu=l40 or a100') ?? '', /^"gpu=l40 or a100": a value is at most 63/);
  t.is(labelsProblem('gpu=l40\ngpu=a100'), '"gpu=a100": the key gpu stands there twice.');
  const many = Array.from({ length: 33 }, (_, index) => `k${index}=v`).join('\n');
  t.is(labelsProblem(many), 'At most 32 labels; these are 33.');
});

test('only what was changed is sent, of labels what they mean', (t) => {
  t.deepEqual(settingChange(BEFORE, { ...BEFORE, labels: 'rack=7, gpu=l40' }), {});
  t.deepEqual(settingChange(BEFORE, { ...BEFORE, labels: 'rack=7' }), { labels: { rack: '7' } });
  t.deepEqual(settingChange(BEFORE, { enabled: false, pruneMode: 'normal', labels: '' }), {
    enabled: false,
    pruneMode: 'normal',
    labels: {},
  });
  t.deepEqual(changedSettings(BEFORE, { ...BEFORE, enabled: false, labels: 'rack=7' }), [
    { label: 'Enabled', before: 'yes', after: 'no' },
    { label: 'Labels', before: 'gpu=l40\nrack=7', after: 'rack=7' },
  ]);
});

test('what two people change is told apart by what they changed; what was typed stays on top', (t) => {
  const typed = { ...BEFORE, pruneMode: 'normal' as const };
  t.false(differ(BEFORE, typed, { ...BEFORE, labels: '' }), 'another thing');
  t.false(differ(BEFORE, typed, typed), 'the same to the same');
  t.true(differ(BEFORE, typed, { ...BEFORE, pruneMode: 'aggressive' }));
  const theirs = { enabled: false, pruneMode: 'aggressive' as const, labels: '' };
  t.deepEqual(rebasedSettings(BEFORE, typed, theirs), { ...theirs, pruneMode: 'normal' });
});

const agent = agentRow({ lastCheckInAt: secondsBefore(0, Date.now()), labels: { rack: '7' }, settingsVersion: 4 });
const { withPage } = dashboardSpecs();

function withSettings(title: string, check: (t: ExecutionContext, opened: WithPage) => Promise<void>): void {
  withPage(title, { fleet: { agents: [agent] }, path: '/#/agents/host-1' }, async (t, opened) => {
    await opened.page.getByRole('form', { name: 'Settings of host-1' }).waitFor();
    await check(t, opened);
  });
}

withSettings(
  'labels, prune mode and enabled are saved as one change with its reason, at the version that was seen',
  async (t, { gateway, page }) => {
    const matched: (string | undefined)[] = [];
    page.on('request', (request) => {
      if (request.method() === 'PATCH') matched.push(request.headers()['if-match']);
    });
    const settings = page.getByRole('form', { name: 'Settings of host-1' });
    await settings.getByText('Images that Muster pulled are removed once they have no tag left').waitFor();
    t.is(await settings.getByRole('button', { name: 'Save settings' }).count(), 0, 'there is nothing to save');
    await settings.getByLabel('Normal:').check();
    await settings.getByLabel('Disabled:').check();
    await settings.getByLabel('Labels').fill('rack=7\ngpu=l40');
    await settings.getByLabel('Reason (optional)').fill('a card was put in');
    t.deepEqual(await accessibilityProblems(page), []);
    await settings.getByRole('button', { name: 'Save settings' }).click();
    await settings.getByRole('button', { name: 'Save settings' }).waitFor({ state: 'detached' });
    t.deepEqual(gateway.sentTo('PATCH', '/agents/host-1'), [
      { enabled: false, pruneMode: 'normal', labels: { rack: '7', gpu: 'l40' }, reason: 'a card was put in' },
    ]);
    t.deepEqual(matched, ['"4"']);
    await page.getByText('host-1 is saved; ').waitFor();
    await page.getByRole('heading', { name: 'host-1' }).getByText('gpu=l40').waitFor();
    await page.getByRole('switch', { name: 'Enabled host-1', checked: false }).waitFor();
    t.true(await settings.getByLabel('Normal:').isChecked());
  },
);

withSettings('a wrong label is told at its field, and nothing is sent', async (t, { gateway, page }) => {
  const settings = page.getByRole('form', { name: 'Settings of host-1' });
  const labels = settings.getByLabel('Labels');
  await labels.fill('GPU=l40');
  await labels.blur();
  await settings.getByText('"GPU=l40": a key is 1 to 63 small letters').waitFor();
  await settings.getByRole('button', { name: 'Save settings' }).click();
  t.true(await labels.evaluate((element) => element.matches(':focus')));
  t.deepEqual(gateway.sent, []);
  await labels.fill('gpu=l40');
  await settings.getByText('a key is 1 to 63').waitFor({ state: 'detached' });
  gateway.answers.set('PATCH /agents/host-1', {
    status: 400,
    body: problem(400, 'INVALID_REQUEST', 'The request is not valid.', {
      errors: [{ path: 'labels.gpu', message: 'this key is kept for Muster' }],
    }),
  });
  await settings.getByRole('button', { name: 'Save settings' }).click();
  await settings.getByText('This key is kept for Muster.').waitFor();
  t.is(await settings.getByText('INVALID_REQUEST').count(), 0, 'it is told once');
  await settings.getByRole('button', { name: 'Undo changes' }).click();
  t.is(await labels.inputValue(), 'rack=7');
});

withSettings(
  'it says "Saving" until the change is seen, and a refusal stands in its place',
  async (t, { gateway, page }) => {
    const settings = page.getByRole('form', { name: 'Settings of host-1' });
    await settings.getByLabel('Aggressive:').check();
    const stale = problem(412, 'STALE', 'the settings of host-1 have changed since they were read; read them again');
    gateway.answers.set('PATCH /agents/host-1', { status: 412, body: stale });
    await settings.getByRole('button', { name: 'Save settings' }).click();
    await settings.getByText('have changed since they were read').waitFor();
    t.true(await settings.getByLabel('Aggressive:').isChecked(), 'what was chosen stays');
    gateway.answers.clear();
    const answered = Promise.withResolvers<void>();
    await page.route('**/api/v1/agents/host-1', async (route) => {
      await answered.promise;
      await route.continue();
    });
    await settings.getByRole('button', { name: 'Save settings' }).click();
    await settings.getByRole('button', { name: 'Saving' }).waitFor();
    answered.resolve();
    await settings.getByRole('button', { name: 'Saving' }).waitFor({ state: 'detached' });
    t.is(gateway.fleet.agents[0]?.pruneMode, 'aggressive');
  },
);

withSettings(
  'what somebody else sets meanwhile is taken over, and shown first where both changed the same',
  async (t, { gateway, page }) => {
    const settings = page.getByRole('form', { name: 'Settings of host-1' });
    await settings.getByLabel('Labels').fill('gpu=l40');
    gateway.patch({ agents: [{ ...agent, pruneMode: 'normal', settingsVersion: 5 }] });
    await until(
      'the mode is theirs',
      () => settings.getByLabel('Normal:').isChecked(),
      (checked) => checked,
    );
    t.is(await settings.getByLabel('Labels').inputValue(), 'gpu=l40', 'what was typed stays');
    gateway.patch({ agents: [{ ...agent, pruneMode: 'normal', labels: { rack: '9' }, settingsVersion: 6 }] });
    await settings.getByText('Somebody has changed these settings meanwhile.').waitFor();
    t.regex(readable(await settings.locator('mu-field-changes li').innerText()), /Labels: rack=7 → is now rack=9/);
    await settings.getByRole('button', { name: 'Keep what I typed' }).click();
    await settings.getByRole('button', { name: 'Save settings' }).click();
    await settings.getByRole('button', { name: 'Save settings' }).waitFor({ state: 'detached' });
    t.deepEqual(gateway.sentTo('PATCH', '/agents/host-1'), [{ labels: { gpu: 'l40' } }]);
  },
);
