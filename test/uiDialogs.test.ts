import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { pendingAgentRow } from '../ui/gallery/fixtures.ts';
import { fullFleet } from '../ui/gallery/fullFleet.ts';
import { focused, isClosed } from './support/accessPage.ts';
import { chooseForAgent } from './support/agentsPage.ts';
import { dashboardSpecs } from './support/dashboard.ts';
import { problem } from './support/fakeGateway.ts';
import { someOf } from './support/shownFleets.ts';
import { until } from './support/until.ts';

/** What dialogs have in common: where the focus goes when they close, and that on a small screen nothing of them is out of reach. */

const { withGateway } = dashboardSpecs();
const fleet = () => someOf(fullFleet(Date.now()));
const SMALL = { viewport: { width: 390, height: 700 } };

async function untilFocused(page: Page, wanted: string | RegExp): Promise<void> {
  await until(
    `the focus on ${wanted}`,
    () => focused(page),
    (now) => (typeof wanted === 'string' ? now === wanted : wanted.test(now)),
  );
}

withGateway('focus goes back to the menu that a dialog was chosen from', { fleet }, async (t, { open }) => {
  const page = await open('/#/agents');
  await chooseForAgent(page, 'host-7', 'Override');
  await page.getByRole('dialog', { name: 'Override capacity of host-7' }).waitFor();
  await page.keyboard.press('Escape');
  await isClosed(page);
  t.is(await focused(page), 'Actions for host-7');
});

const withAnother = () => {
  const some = fleet();
  return { ...some, agents: [...some.agents, pendingAgentRow({ agentId: 'host-other', hostname: 'host-other' })] };
};

withGateway('when what had the focus is gone, it stays near', { fleet: withAnother }, async (t, { open }) => {
  const page = await open('/#/agents');
  await page.getByRole('button', { name: 'Approve host-new' }).press('Enter');
  await untilFocused(page, /^host-new: /);
  await chooseForAgent(page, 'host-other', 'Remove');
  await page.getByRole('button', { name: 'Remove agent' }).press('Enter');
  await untilFocused(page, 'Agents');
  await page.goto(page.url().replace('#/agents', '#/sessions'));
  await page.getByRole('button', { name: 'Select all' }).press('Enter');
  await untilFocused(page, 'Sessions');
  await page.getByRole('button', { name: 'Start a session' }).press('Enter');
  await page.getByRole('button', { name: 'Start session' }).press('Enter');
  await page.getByRole('button', { name: 'Start another' }).press('Enter');
  await untilFocused(page, 'image');
  t.pass();
});

withGateway(
  'on a small screen the buttons of a long dialog stay in sight, and what was refused stands above them',
  {
    fleet,
    prepare: ({ answers }) => {
      const refused = problem(409, 'CONFIRM_NEEDED', '120 cores are x15.0 of 8 cores; say so again with confirm.');
      answers.set('PATCH /agents/host-7', { status: 409, body: refused });
    },
  },
  async (t, { open }) => {
    const page = await open('/#/agents', SMALL);
    await chooseForAgent(page, 'host-7', 'Override');
    await page.getByLabel('CPU cores').fill('120');
    await inSight(t, page, page.getByRole('button', { name: 'Save', exact: true }));
    await page.getByLabel('CPU cores').press('Enter');
    const again = page.getByRole('button', { name: 'Save all the same' });
    await inSight(t, page, again);
    const said = await page.getByText('say so again with confirm').boundingBox();
    const button = await again.boundingBox();
    t.true((said?.y ?? Infinity) + (said?.height ?? 0) <= (button?.y ?? 0), 'the refusal stands behind the button');
  },
);

withGateway(
  'on a small screen no field has the focus behind the head or the buttons',
  { fleet },
  async (t, { open }) => {
    const page = await open('/#/agents', SMALL);
    await chooseForAgent(page, 'host-7', 'Override');
    const [head, save] = [page.getByRole('button', { name: 'Close' }), page.getByRole('button', { name: 'Save' })];
    for (const [key, labels] of [
      ['Tab', ['Memory', 'Reason']],
      ['Shift+Tab', ['Memory', 'CPU cores']],
    ] as const) {
      for (const label of labels) {
        await page.keyboard.press(key);
        const field = await page.getByRole('textbox', { name: label }).boundingBox();
        const [above, below] = [await head.boundingBox(), await save.boundingBox()];
        t.true((above?.y ?? 0) + (above?.height ?? 0) <= (field?.y ?? 0), `${key} to ${label}: behind the head`);
        t.true((field?.y ?? 0) + (field?.height ?? 0) <= (below?.y ?? 0), `${key} to ${label}: behind the buttons`);
      }
      // On to the button and back to the field before it.
      if (key === 'Tab') await page.keyboard.press('Tab');
      if (key === 'Tab') await page.keyboard.press('Shift+Tab');
    }
  },
);

async function inSight(t: ExecutionContext, page: Page, button: ReturnType<Page['getByRole']>): Promise<void> {
  await button.waitFor();
  const place = await button.boundingBox();
  t.true(place !== null && place.y + place.height <= (page.viewportSize()?.height ?? 0), 'it stands below the edge');
}
