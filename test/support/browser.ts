import { AxeBuilder } from '@axe-core/playwright';
import type { ExecutionContext } from 'ava';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { ChromiumMissing, findChromium } from '../../infra/tools/chromium.ts';

/**
 * One browser per spec file, or null with a loud word where there is none. With CI set a missing browser is a failure:
 * there, nobody reads the word.
 */
export async function openBrowser(log: (text: string) => void): Promise<Browser | null> {
  try {
    const { executablePath, env, args } = await findChromium();
    return await chromium.launch({ executablePath, env: { ...env }, args: [...args] });
  } catch (error) {
    if (!(error instanceof ChromiumMissing) || process.env['CI'] !== undefined) throw error;
    log(`NOT CHECKED: ${error.message}`);
    return null;
  }
}

/** A run without a browser skips what needs one, and counts it as skipped. */
export const SKIPS_BROWSER = process.env['MUSTER_TEST_CHROMIUM'] === 'none';

/** A page of its own context. What the page logs as an error, a breach of the content policy too, fails the spec. */
export async function openPage(
  t: ExecutionContext,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  });
  const wrong: string[] = [];
  t.teardown(async () => {
    await context.close();
    // Thrown here and not where it is heard of: an exception in an event handler ends the whole process.
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => wrong.push(`the page threw: ${error.message}`));
  page.on('console', (message) => {
    // A refused or lost request is logged by the browser itself; what the page makes of it is what specs look at.
    const usual = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !usual) wrong.push(`the page logged: ${message.text()}`);
  });
  await page.goto(url);
  return page;
}

/**
 * What axe finds against WCAG 2 A and AA and its best practices, in a form that is short when it fails. With `rules` only
 * these run: another colour scheme changes contrast and nothing else.
 */
export async function accessibilityProblems(page: Page, rules: readonly string[] = []): Promise<readonly string[]> {
  // In the page itself: nothing here has frames of other origins, for which every run would open a page of its own. A page that
  // is looked at again has axe already.
  const isThere = await page.evaluate(() => 'axe' in globalThis);
  const builder = new AxeBuilder(isThere ? { page, axeSource: ';' } : { page })
    .setLegacyMode()
    .options({ resultTypes: ['violations'] });
  const { violations } = await (rules.length === 0 ? builder : builder.withRules([...rules])).analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`.replaceAll(/\s+/g, ' ')),
  );
}

/** Text as people read it: one space where the markup has many. */
export function readable(text: string | null): string {
  return (text ?? '').replaceAll(/\s+/g, ' ').trim();
}
