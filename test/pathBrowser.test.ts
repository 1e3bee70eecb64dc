import type { Locator, Page } from 'playwright-core';
import { accessibilityProblems, openBrowser, openPage } from './support/browser.ts';
import { dockerOf } from './support/engine.ts';
import { serialEngineTest } from './support/engineTest.ts';
import { startMuster } from './support/muster.ts';
import { until } from './support/until.ts';

/** The first session as an operator does it in the browser, on the real gateway, agent and container engine. */

async function dialogNamed(page: Page, name: string): Promise<Locator> {
  await page.getByRole('dialog', { name }).waitFor();
  return page.locator('mu-dialog');
}

serialEngineTest(
  'an operator signs in by the link, defines an image, starts a session and stops it',
  async (t, engine) => {
    const browser = await openBrowser((text) => t.log(text));
    if (browser === null) return;
    t.teardown(() => browser.close());
    const muster = await startMuster(t, { engineHost: engine.host });
    const page = await openPage(t, browser, muster.signInUrl);
    const { hostname } = await until(
      'the agent',
      () => muster.agents(),
      (agents) => agents.length > 0,
    ).then(() => muster.agent());
    const agent = page.getByRole('article', { name: hostname });
    await agent.getByText('Online and enabled').waitFor();
    t.is(new URL(page.url()).hash, '');

    await page.getByRole('button', { name: 'Define an image' }).click();
    const image = await dialogNamed(page, 'Define an image');
    await image.getByLabel('Name', { exact: true }).fill('Sleeper');
    await image.getByLabel('Container image').fill('muster-test/sleeper:1');
    await image.getByLabel('CPU cores').fill('1');
    await image.getByLabel('Memory', { exact: true }).fill('64MiB');
    await image.getByLabel('GPU count').fill('1');
    await image.getByRole('button', { name: 'Define image' }).click();
    await image.waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Start a session' }).click();
    const start = await dialogNamed(page, 'Start a session');
    await start.getByText('Would go to').waitFor();
    await start.getByRole('button', { name: 'Start session' }).click();
    await start.getByText('Went to').waitFor();
    await page.keyboard.press('Escape');

    const sessions = page.getByRole('table', { name: 'Sessions' });
    await sessions.getByText('Running on this-machine.').waitFor();
    await agent.getByText(/1 \/ 4 allocated \(25 %\)/).waitFor();
    t.deepEqual(await accessibilityProblems(page), []);
    const containers = await dockerOf(engine).listContainers({ filters: { label: ['muster.agent=this-machine'] } });
    const [name = ''] = containers.flatMap(({ Names }) => Names);
    const sessionId = name.slice(1);

    await page.getByRole('button', { name: `Stop ${sessionId}` }).click();
    const stop = await dialogNamed(page, `Stop session ${sessionId}?`);
    await stop.getByRole('button', { name: 'Stop session' }).click();
    await agent.getByText(/0 \/ 4 allocated/).waitFor();
    await until(
      'the container gone',
      () => dockerOf(engine).listContainers({ all: true, filters: { name: [sessionId] } }),
      (left) => left.length === 0,
    );
  },
);
