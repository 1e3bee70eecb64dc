import { openBrowser, openPage, accessibilityProblems } from './support/browser.ts';
import { dockerOf } from './support/engine.ts';
import { BUSYBOX_IMAGE } from './support/engineImages.ts';
import { serialEngineTest } from './support/engineTest.ts';
import { startMuster, type StartAnswer } from './support/muster.ts';
import { until } from './support/until.ts';

/** The page of a session on the real gateway, agent and container engine. */

serialEngineTest("an operator sees a session's life and what it prints, live, to its end", async (t, engine) => {
  const browser = await openBrowser((text) => t.log(text));
  if (browser === null) {
    t.pass('no browser here: not checked');
    return;
  }
  t.teardown(() => browser.close());
  const muster = await startMuster(t, { engineHost: engine.host });
  await until(
    'the agent online',
    () => muster.agents(),
    ([agent]) => agent?.connectivity === 'online',
  );
  const script = 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done';
  const image = { name: 'Printer', reference: BUSYBOX_IMAGE, cores: 1, memory: '64MiB' };
  await muster.request('PUT', '/images/printer', { ...image, command: ['/bin/sh', '-c', script] });
  const { body } = await muster.request('POST', '/sessions', { imageId: 'printer' });
  const { sessionId } = (body as StartAnswer).session;
  const page = await openPage(t, browser, muster.signInUrl);
  await page.getByRole('button', { name: 'Not now' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Sessions' }).click();
  await page.getByRole('table', { name: 'Sessions' }).getByRole('link', { name: 'Printer' }).click();
  const life = page.getByRole('list', { name: 'What happened to the session' });
  await life.getByText('Started on this-machine').waitFor();
  const log = page.getByRole('log', { name: 'Output' });
  await log.getByText('line 30', { exact: true }).waitFor();
  t.deepEqual(await accessibilityProblems(page), []);
  await dockerOf(engine).getContainer(sessionId).kill();
  await page.getByText('The container has ended; nothing more comes.').waitFor();
  await life.getByText('Its container exited by itself, exit code 137.').first().waitFor();
  t.true((await log.locator('.line').count()) >= 30, 'what was read stays to be read');
});
