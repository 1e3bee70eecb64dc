import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import type { AnyEvent } from '../domain/events.ts';
import type { LiveSnapshot } from '../ui/data/fleet.ts';
import { agentRow, countedExplanation, imageRow, refusedExplanation, sessionRow } from '../ui/gallery/fixtures.ts';
import { accessibilityProblems, readable } from './support/browser.ts';
import { dashboardSpecs, type WithPage } from './support/dashboard.ts';
import { problem, type FakeGateway } from './support/fakeGateway.ts';
import { until } from './support/until.ts';

/** The images in a real browser: their list, and the page on which one is defined, changed and retired. */

const { withPage, onRealGateway } = dashboardSpecs();

function withImages(
  title: string,
  { path = '/#/images/desktop', ...fleet }: Partial<LiveSnapshot> & { readonly path?: string },
  check: (t: ExecutionContext, opened: WithPage) => Promise<void>,
  prepare: (gateway: FakeGateway) => void = () => {},
): void {
  withPage(title, { fleet: { agents: [agentRow()], images: [imageRow()], ...fleet }, path, prepare }, check);
}

const hashOf = (page: Page): string => new URL(page.url()).hash;
const PUT = 'PUT /images/desktop';

withImages(
  'an image is defined on a page of its own, and a GPU count without "require" says how it is treated',
  { path: '/#/images', images: [] },
  async (t, { gateway, page }) => {
    await page.getByRole('button', { name: 'Define an image' }).click();
    await page.getByRole('button', { name: 'Define image' }).click();
    await page.getByText('Give the image a name.').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Training job');
    await page.getByLabel('Container image').fill('docker.io/pytorch/pytorch:2.5.1');
    await page.getByLabel('Require GPU').check();
    await page.getByText('0 = all: every schedulable GPU of one agent, exclusively.').waitFor();
    await page.getByLabel('Require GPU').uncheck();
    await page.getByLabel('GPU count').fill('2');
    await page.getByText('treated as required').waitFor();
    await page.getByRole('button', { name: 'Define image' }).click();
    await page.getByRole('heading', { name: /^Training job/ }).waitFor();
    t.is(hashOf(page), '#/images/training-job');
    t.is(await page.title(), 'Training job – Images – Muster');
    t.like(gateway.sentTo('PUT', '/images/training-job')[0], { name: 'Training job', requireGpu: false, gpuCount: 2 });
    await page.getByText('Fits on 2 of 3 agents now').waitFor();
    await page.goBack();
    await page.getByRole('link', { name: 'Training job' }).waitFor();
    t.is(hashOf(page), '#/images', 'the empty form is not gone back to');
  },
);

withImages(
  'where it could run right now: which agents fit, and of the others why not, counted per reason',
  {},
  async (t, { gateway, page }) => {
    const fitting = page.getByRole('list', { name: 'Agents that fit best' });
    await fitting.waitFor();
    t.deepEqual(await fitting.getByRole('link').allInnerTexts(), ['gpu-02', 'host-1']);
    const others = page.getByRole('list', { name: 'Why not the others' });
    t.is(readable(await others.innerText()), '1 disabled AGENT_DISABLED');
    gateway.counted = { ...refusedExplanation(), fits: 0 };
    gateway.patch({ agents: [agentRow({ intent: 'disabled' })] });
    await page.getByText('None of 3 agents has room now').waitFor();
    await page.getByRole('list', { name: 'What would make it fit' }).waitFor();
    await others.getByText('with too little memory free').waitFor();
  },
);

withImages(
  'what the gateway refuses of a field stands at that field, with the cursor in it',
  {},
  async (t, { gateway, page }) => {
    const refusal = (code: string, detail: string) =>
      gateway.answers.set(PUT, { status: 422, body: problem(422, code, detail) });
    refusal('REGISTRY_NOT_ALLOWED', 'the registry ghcr.io is not on the list of allowed ones (docker.io)');
    const reference = page.getByLabel('Container image');
    await reference.fill('ghcr.io/acme/tool:1');
    await page.getByRole('button', { name: 'Save as a new revision' }).click();
    await page
      .getByText('The registry ghcr.io is not on the list of allowed ones (docker.io). REGISTRY_NOT_ALLOWED')
      .waitFor();
    t.is(await reference.getAttribute('aria-invalid'), 'true');
    t.true(await reference.evaluate((field) => field.matches(':focus')));
    refusal('ENVIRONMENT_LOOKS_SECRET', 'the variable API_TOKEN looks like a secret');
    await page.getByLabel('Environment').fill('API_TOKEN=x');
    await page.getByRole('button', { name: 'Save as a new revision' }).click();
    await page.getByText('The variable API_TOKEN looks like a secret. ENVIRONMENT_LOOKS_SECRET').waitFor();
    gateway.answers.set(PUT, { status: 503, body: problem(503, 'BUSY', 'the log cannot be reached') });
    await page.getByLabel('Environment').fill('');
    await page.getByRole('button', { name: 'Save as a new revision' }).click();
    await page.getByRole('alert').getByText('The log cannot be reached.').waitFor();
  },
);

withImages(
  'on which agents it may run is said by labels, checked where they are typed, and shown in the list',
  {},
  async (t, { gateway, page }) => {
    const [only, never] = [page.getByLabel('Only on agents with'), page.getByLabel('Never on agents with')];
    const save = page.getByRole('button', { name: 'Save as a new revision' });
    await only.fill('GPU=l40');
    await never.fill('spot');
    await save.click();
    await page
      .getByText('"GPU=l40" is not a label; write for example rack or gpu=l40, keys in small letters.')
      .waitFor();
    t.true(await only.evaluate((field) => field.matches(':focus')));
    t.deepEqual(await accessibilityProblems(page), []);
    await only.fill('gpu=l40, spot');
    await page.getByText('spot is asked for as well: no agent could ever take it.').waitFor();
    t.is(await only.getAttribute('aria-invalid'), 'false');
    await only.fill('gpu=l40, rack');
    const refused = { ...problem(400, 'INVALID_REQUEST', 'the body is not as it should be') };
    const errors = [{ path: 'excludeLabels.0', message: 'a label is written key or key=value' }];
    gateway.answers.set(PUT, { status: 400, body: { ...refused, errors } });
    await save.click();
    await page.getByText('A label is written key or key=value.').waitFor();
    t.true(await never.evaluate((field) => field.matches(':focus')));
    gateway.answers.delete(PUT);
    await save.click();
    await page.getByText('Desktop is saved as revision 2').waitFor();
    t.like(gateway.sentTo('PUT', '/images/desktop').at(-1), {
      includeLabels: ['gpu=l40', 'rack'],
      excludeLabels: ['spot'],
    });
    t.is(await only.inputValue(), 'gpu=l40\nrack');
    await page.getByRole('link', { name: 'Images' }).first().click();
    await page.getByText('Only on agents with gpu=l40, rack; never on those with spot.').waitFor();
    t.deepEqual(await accessibilityProblems(page), []);
  },
);

withImages(
  'what somebody else saved meanwhile is shown, and what was typed stays until one decides',
  {},
  async (t, { gateway, page }) => {
    await page.getByLabel('CPU cores').fill('8');
    gateway.patch({ images: [imageRow({ revision: 2, millicores: 4000, memoryBytes: 8 * 1024 ** 3 })] });
    const conflict = page.getByRole('alert');
    await conflict.getByText('Somebody has saved revision 2 meanwhile.').waitFor();
    t.deepEqual((await conflict.getByRole('listitem').allInnerTexts()).map(readable), [
      'CPU cores: 2 → is now 4',
      'Memory: 4GiB → is now 8GiB',
    ]);
    await page.getByRole('button', { name: 'Keep what I typed' }).click();
    await conflict.waitFor({ state: 'detached' });
    t.is(await page.getByLabel('CPU cores').inputValue(), '8');
    t.is(
      await page.getByLabel('Memory', { exact: true }).inputValue(),
      '8GiB',
      'theirs, since nothing was typed there',
    );
    gateway.patch({ images: [imageRow({ revision: 3, millicores: 1000 })] });
    await page.getByRole('button', { name: 'Take theirs' }).click();
    t.is(await page.getByLabel('CPU cores').inputValue(), '1');
    gateway.patch({ images: [imageRow({ revision: 4, millicores: 3000 })] });
    await until(
      'the newest revision, since nothing was typed',
      () => page.getByLabel('CPU cores').inputValue(),
      (cores) => cores === '3',
    );
    t.is(await conflict.count(), 0);
  },
);

withImages(
  'retiring says what becomes of its sessions, and goes back to the list',
  { sessions: [sessionRow({ phase: 'running' }), sessionRow({ sessionId: 's-2', phase: 'waiting' })] },
  async (t, { gateway, page }) => {
    await page.getByRole('link', { name: '2 sessions' }).waitFor();
    await page.getByRole('button', { name: 'Retire' }).click();
    await page.getByRole('dialog', { name: 'Retire Desktop?' }).waitFor();
    await page.getByText('1 session of it stays as it is: nothing that runs is stopped.').waitFor();
    await page.getByText('1 session that waits is still started when there is room.').waitFor();
    await page.getByRole('button', { name: 'Retire image' }).click();
    await page.getByText('No image is defined yet').waitFor();
    t.is(hashOf(page), '#/images');
    t.is(gateway.sentTo('DELETE', '/images/desktop').length, 1);
  },
);

withImages(
  'its revisions say who changed what, when and why',
  {},
  async (t, { page }) => {
    const revisions = page.getByRole('list', { name: 'Revisions' }).getByRole('listitem');
    await page.getByText('Revision 2', { exact: true }).waitFor();
    t.regex(readable(await revisions.first().innerText()), /^Revision 2, 3 d ago By ada: more room/);
    t.is(readable(await revisions.first().locator('mu-field-changes li').innerText()), 'CPU cores: 2 → is now 4');
    await page.getByText('Revision 1', { exact: true }).waitFor();
  },
  (gateway) => {
    const envelope = { id: 'x', schemaVersion: 1, correlationId: 'c', causationId: 'c' } as const;
    const actor = { kind: 'operator', id: 'ada' } as const;
    const occurredAt = new Date(Date.now() - 3 * 86_400_000).toISOString();
    const first = imageRow();
    const revised = imageRow({ revision: 2, millicores: 4000 });
    const defined = { ...envelope, actor, occurredAt, type: 'ImageDefined', data: { image: first } } as const;
    const change = { ...envelope, actor, occurredAt, reason: 'more room', type: 'ImageRevised' } as const;
    const events: readonly AnyEvent[] = [defined, { ...change, data: { image: revised, previous: first } }];
    gateway.fleetEvents = events;
  },
);

withImages(
  'who may not define images sees the definition and why nothing can be changed',
  {},
  async (t, { page }) => {
    await page.getByText('This needs the role admin; yours is operator.').waitFor();
    t.true(await page.getByLabel('Container image').isDisabled());
    t.true(await page.getByRole('button', { name: 'Retire' }).isDisabled());
    t.true(await page.getByRole('button', { name: 'Start a session' }).isEnabled());
    await page.getByText('Fits on 2 of 3 agents now').waitFor();
  },
  (gateway) => {
    gateway.role = 'operator';
    gateway.counted = countedExplanation();
  },
);

onRealGateway(
  'on a real gateway an image is defined, refused, changed by two and never overwritten unseen',
  async (t, { muster, page }) => {
    await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
    await page.getByRole('link', { name: 'Define the first image' }).click();
    await page.getByRole('button', { name: 'Define an image' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Tool');
    await page.getByLabel('Container image').fill('evil.example/tool:1');
    await page.getByRole('button', { name: 'Define image' }).click();
    await page.getByText(/The registry evil\.example is not on the list/).waitFor();
    await page.getByLabel('Container image').fill('docker.io/library/busybox:1');
    await page.getByRole('button', { name: 'Define image' }).click();
    await page.getByText('Fits on 1 of 1 agent now').waitFor();
    await page.getByText('Revision 1', { exact: true }).waitFor();
    await page.getByLabel('Memory', { exact: true }).fill('2GiB');
    const theirs = { name: 'Tool', reference: 'docker.io/library/busybox:1', cores: '9', memory: '1GiB' };
    await muster.request('PUT', '/images/tool', { body: theirs });
    await page.getByText('Somebody has saved revision 2 meanwhile.').waitFor();
    await page.getByText('None of 1 agent has room now').waitFor();
    await page.getByRole('button', { name: 'Keep what I typed' }).click();
    await page.getByRole('button', { name: 'Save as a new revision' }).click();
    await page.getByText('Tool is saved as revision 3').waitFor();
    t.like(await muster.read('/images/tool'), { revision: 3, millicores: 9000, memoryBytes: 2 * 1024 ** 3 });
    t.deepEqual(await accessibilityProblems(page), []);
  },
);
