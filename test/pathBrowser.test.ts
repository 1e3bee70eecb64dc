import type { SessionView } from '../projections/views.ts';
import { dialogNamed } from './support/accessPage.ts';
import { agentRowOf } from './support/agentsPage.ts';
import { accessibilityProblems, openBrowser, openPage } from './support/browser.ts';
import { dockerOf } from './support/engine.ts';
import { serialEngineTest } from './support/engineTest.ts';
import { startMuster } from './support/muster.ts';
import { until } from './support/until.ts';

/** The first session as an operator does it in the browser, on the real gateway, agent and container engine. */

serialEngineTest(
  'an operator comes by the link, makes an account, defines an image, starts a session and stops it',
  async (t, engine) => {
    const browser = await openBrowser((text) => t.log(text));
    if (browser === null) return;
    t.teardown(() => browser.close());
    const muster = await startMuster(t, { engineHost: engine.host });
    const page = await openPage(t, browser, muster.signInUrl);
    await page.getByRole('textbox', { name: 'Account' }).fill('anna');
    await page.getByLabel('Your name').fill('Anna Smith');
    await page.getByLabel('Password', { exact: true }).fill('a password for the tests');
    await page.getByLabel('Password again').fill('a password for the tests');
    await page.getByRole('button', { name: 'Make account' }).click();
    await page.getByText('Signed in as Anna Smith (admin)').waitFor();
    const { hostname } = await until(
      'the agent',
      () => muster.agents(),
      (agents) => agents.length > 0,
    ).then(() => muster.agent());
    t.is(new URL(page.url()).hash, '');
    const pages = page.getByRole('navigation', { name: 'Pages' });
    const agent = agentRowOf(page, hostname);
    await pages.getByRole('link', { name: 'Agents' }).click();
    await agent.getByText('Online and enabled').waitFor();

    await pages.getByRole('link', { name: 'Images' }).click();
    await page.getByRole('button', { name: 'Define an image' }).click();
    const image = page.getByRole('form', { name: 'Definition' });
    await image.getByLabel('Name', { exact: true }).fill('Sleeper');
    await image.getByLabel('Container image').fill('muster-test/sleeper:1');
    await image.getByLabel('CPU cores').fill('1');
    await image.getByLabel('Memory', { exact: true }).fill('64MiB');
    await image.getByLabel('GPU count').fill('1');
    await image.getByRole('button', { name: 'Define image' }).click();
    await page.getByText('Fits on 1 of 1 agent now').waitFor();

    await pages.getByRole('link', { name: 'Sessions' }).click();
    await page.getByRole('button', { name: 'Start a session' }).click();
    const start = await dialogNamed(page, 'Start a session');
    await start.getByText('Would go to').waitFor();
    await start.getByRole('button', { name: 'Start session' }).click();
    await start.getByText('Went to').waitFor();
    await page.keyboard.press('Escape');

    const sessions = page.getByRole('table', { name: 'Sessions' });
    await sessions.getByText('Running on this-machine.').waitFor();
    t.deepEqual(await accessibilityProblems(page), []);
    await pages.getByRole('link', { name: 'Agents' }).click();
    await agent.getByText('GPU 1 / 4 allocated (25 %)').waitFor();
    // Of this gateway, and not of the engine: other specs run agents of the same name on that at the same time.
    const { body } = await muster.request('GET', '/sessions');
    const [{ sessionId }] = (body as { readonly sessions: readonly [SessionView] }).sessions;
    const containers = () => dockerOf(engine).listContainers({ all: true, filters: { name: [`^/${sessionId}$`] } });
    t.is((await containers()).length, 1);

    await pages.getByRole('link', { name: 'Sessions' }).click();
    await page.getByRole('button', { name: `Stop ${sessionId}` }).click();
    const stop = await dialogNamed(page, `Stop session ${sessionId}?`);
    await stop.getByRole('button', { name: 'Stop session' }).click();
    await pages.getByRole('link', { name: 'Agents' }).click();
    await agent.getByText('GPU 0 / 4 allocated').waitFor();
    await until('the container gone', containers, (left) => left.length === 0);
  },
);
