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
