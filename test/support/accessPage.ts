import type { ExecutionContext } from 'ava';
import type { Locator, Page } from 'playwright-core';
import { keyRow, personRow } from '../../ui/gallery/accessRows.ts';
import { readable } from './browser.ts';
import { dashboardSpecs, type WithGateway } from './dashboard.ts';
import type { FakeGateway } from './fakeGateway.ts';

type Check = (t: ExecutionContext, opened: WithGateway) => Promise<void>;

/**
 * Prepares a spec file about the page for people and keys, and returns what registers its tests. Anna, an admin, is signed
 * in; Ben and one key are there.
 */
export function accessPageSpecs(): (title: string, check: Check) => void {
  const { withGateway } = dashboardSpecs();
  const prepare = (gateway: FakeGateway): void => {
    const { access } = gateway;
    gateway.account = 'anna';
    access.people = [personRow({ role: 'admin' }), personRow({ personId: 'ben', name: 'Ben Ng' })];
    access.keys = [keyRow()];
  };
  return (title, check) =>
    withGateway(title, { prepare }, (t, { gateway, open }) =>
      check(t, { gateway, open: (path = '/#/access') => open(path) }),
    );
}

/** A dialog by its name, as what stands in it: slotted content is not inside the dialog element itself. */
export async function dialogNamed(page: Page, name: string): Promise<Locator> {
  await page.getByRole('dialog', { name }).waitFor();
  return page.locator('mu-dialog');
}

/** The row of a person or a key. */
export function rowOf(page: Page, name: string): Locator {
  return page.getByRole('row').filter({ has: page.getByText(name, { exact: true }) });
}

/** What has the focus, inside shadow roots too: its id, or its words. */
export function focused(page: Page): Promise<string> {
  return page
    .evaluate(() => {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      return active?.id || active?.ariaLabel || (active?.textContent ?? '');
    })
    .then(readable);
}

/** Waits until no dialog is there. */
export async function isClosed(page: Page): Promise<void> {
  await page.locator('mu-dialog').waitFor({ state: 'detached' });
}
