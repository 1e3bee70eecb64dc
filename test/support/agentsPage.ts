import type { Locator, Page } from 'playwright-core';

/** The table of agents as a spec uses it. */

export function agentRowOf(page: Page, hostname: string): Locator {
  return page.getByRole('row', { name: `${hostname}: ` });
}

/** What the menu of an agent has at present. */
export async function agentMenuOf(page: Page, hostname: string): Promise<readonly string[]> {
  const menu = await openedMenu(page, hostname);
  const items = await menu.getByRole('menuitem').allInnerTexts();
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'hidden' });
  return items;
}

export async function chooseForAgent(page: Page, hostname: string, item: string): Promise<void> {
  const menu = await openedMenu(page, hostname);
  await menu.getByRole('menuitem', { name: item }).click();
}

async function openedMenu(page: Page, hostname: string): Promise<Locator> {
  await page.getByRole('button', { name: `Actions for ${hostname}`, exact: true }).click();
  const menu = page.getByRole('menu', { name: `Actions for ${hostname}`, exact: true });
  await menu.getByRole('menuitem').first().waitFor();
  return menu;
}

/** From now on it is counted how often rows are drawn for which a patch had nothing new. */
export async function countDrawn(page: Page): Promise<void> {
  await page.evaluate(() => {
    const count = { others: 0, begun: performance.now() };
    const row: unknown = customElements.get('mu-agent-row')?.prototype;
    const updated: unknown = Reflect.get(Object(row), 'updated');
    if (typeof updated !== 'function') throw new Error('a row has no updated');
    Reflect.set(Object(row), 'updated', function note(this: Element, changed: ReadonlyMap<string, unknown>) {
      updated.call(this, changed);
      if (!changed.has('agent')) count.others += 1;
    });
    Object.assign(globalThis, { drawn: count });
  });
}

/** How often that was, of how many rows, in what time. */
export function drawnSince(
  page: Page,
): Promise<{ readonly others: number; readonly rows: number; readonly seconds: number }> {
  return page.evaluate(() => {
    const { others, begun }: { others: number; begun: number } = Reflect.get(globalThis, 'drawn');
    const view = document.querySelector('mu-app')?.shadowRoot?.querySelector('mu-agents-view');
    const table = view?.shadowRoot?.querySelector('mu-agent-table');
    const rows = table?.shadowRoot?.querySelectorAll('mu-agent-row').length ?? 0;
    return { others, rows, seconds: (performance.now() - begun) / 1000 };
  });
}
