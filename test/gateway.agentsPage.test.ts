import test, { type ExecutionContext } from 'ava';
import { agentRowOf, chooseForAgent } from './support/agentsPage.ts';
import { accessibilityProblems, openBrowser, openPage, SKIPS_BROWSER } from './support/browser.ts';
import { startGateway } from './support/gateway.ts';
import { until } from './support/until.ts';

/** The table of agents on the real gateway: live, and what is done to one and to many arrives in the log. */

const title = 'the table shows what others do without a reload, and what is done to one and to many is in the log';

async function check(t: ExecutionContext): Promise<void> {
  const browser = await openBrowser((text) => t.log(text));
  if (browser === null) {
    t.pass('no browser here: not checked');
    return;
  }
  t.teardown(() => browser.close());
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.agentOnline({ agentId: 'twelve', cores: 12, memoryGib: 12 });
  const page = await openPage(t, browser, muster.gateway.signInUrl ?? muster.url);
  await page.getByRole('button', { name: 'Not now' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Agents' }).click();
  await agentRowOf(page, 'host-of-six').getByText('0 / 6 allocated (0 %)').waitFor();

  await muster.request('PATCH', '/agents/six', { body: { coresOverride: 12 } });
  await agentRowOf(page, 'host-of-six').getByText('CPU override 12, x2.0 of 6 cores').waitFor();
  await agentRowOf(page, 'host-of-six').getByRole('switch').click();
  await agentRowOf(page, 'host-of-six').getByText('Online, disabled').waitFor();
  t.is((await muster.agent('six')).intent, 'disabled');
  t.deepEqual(await accessibilityProblems(page), []);

  await page.getByRole('checkbox', { name: /^Select all/ }).click();
  await page.getByRole('button', { name: 'Disable', exact: true }).click();
  const dialog = page.locator('mu-bulk-dialog');
  await dialog.getByText('It is disabled already.').waitFor();
  await dialog.getByLabel('Reason').fill('new disks');
  await dialog.getByRole('button', { name: 'Disable 1 agent' }).click();
  await dialog.getByText('1 agent is disabled, 1 skipped.').waitFor();
  await dialog.getByRole('button', { name: 'Done', exact: true }).click();
  t.is((await muster.agent('twelve')).intent, 'disabled');
  t.like(
    (await muster.events()).findLast(({ type }) => type === 'AgentDisabled'),
    { reason: 'new disks' },
  );

  await page.getByRole('button', { name: 'Override', exact: true }).click();
  await dialog.getByLabel('Memory').fill('96GiB');
  await dialog.getByRole('checkbox', { name: 'For 1 agent' }).waitFor();
  await dialog.getByRole('button', { name: 'Save for 1 agent' }).click();
  await dialog.getByText('1 agent is saved, 1 skipped.').waitFor();
  await dialog.getByRole('button', { name: 'Done', exact: true }).click();
  t.is((await muster.agent('twelve')).memoryOverride?.value, 96 * 1024 ** 3);
  t.is((await muster.agent('six')).memoryOverride, null, 'sixteen times of what is there was not confirmed');

  await muster.request('POST', '/agents/six/revoke', { body: { reason: 'it was for a test' } });
  await agentRowOf(page, 'host-of-six').getByText('revoked', { exact: true }).waitFor();
  await chooseForAgent(page, 'host-of-six', 'Remove');
  await page.getByRole('button', { name: 'Remove agent' }).click();
  await agentRowOf(page, 'host-of-six').waitFor({ state: 'detached' });
  await until('one agent', muster.agents, (agents) => agents.length === 1);
}

(SKIPS_BROWSER ? test.serial.skip : test.serial)(title, check);
