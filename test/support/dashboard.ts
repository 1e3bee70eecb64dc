import type { ExecutionContext, TestFn } from 'ava';
import anyTest from 'ava';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { LiveSnapshot } from '../../ui/data/fleet.ts';
import { openBrowser, openPage, SKIPS_BROWSER } from './browser.ts';
import { buildDashboard, startFakeGateway, type FakeGateway } from './fakeGateway.ts';
import { startGateway, type TestGateway } from './gateway.ts';

interface Shared {
  readonly browser: Browser | null;
  readonly folder: string;
  readonly remove: () => Promise<void>;
}

type Check<Opened> = (t: ExecutionContext<Shared>, opened: Opened) => Promise<void>;

/** What a spec looks at. */
export interface Wanted {
  /** What the gateway tells; a function is asked when the spec begins. */
  readonly fleet?: Partial<LiveSnapshot> | (() => Partial<LiveSnapshot>);
  /** What else the gateway is to answer, before anybody asks. */
  readonly prepare?: (gateway: FakeGateway) => void;
}

export interface WithGateway {
  readonly gateway: FakeGateway;
  /** Opens the page there, in a context of its own. */
  readonly open: (path?: string, options?: BrowserContextOptions) => Promise<Page>;
}

export interface WithPage {
  readonly gateway: FakeGateway;
  readonly page: Page;
}

export interface OnRealGateway {
  readonly muster: TestGateway;
  /** Of this machine's administrator, on the overview. */
  readonly page: Page;
}

interface DashboardSpecs {
  /** Against a gateway with canned answers. */
  readonly withGateway: (title: string, wanted: Wanted, check: Check<WithGateway>) => void;
  /** The same, with a page that is open already; `width` of its window in pixels. */
  readonly withPage: (
    title: string,
    wanted: Wanted & { readonly path?: string; readonly width?: number },
    check: Check<WithPage>,
  ) => void;
  readonly onRealGateway: (title: string, check: Check<OnRealGateway>) => void;
}

/**
 * Prepares a spec file about the dashboard: one browser and one build of the page for all of it. Returns what registers its
 * specs, which pass loudly where there is no browser.
 */
export function dashboardSpecs(): DashboardSpecs {
  const test = anyTest as TestFn<Shared>;
  test.before(async (t) => {
    t.context = { browser: await openBrowser((text) => t.log(text)), ...(await buildDashboard()) };
  });
  test.after.always(async (t) => {
    await t.context.browser?.close();
    await t.context.remove();
  });

  const spec = (title: string, check: Check<Browser>): void => {
    (SKIPS_BROWSER ? test.serial.skip : test.serial)(title, async (t) => {
      if (t.context.browser === null) t.pass('no browser here: not checked');
      else await check(t, t.context.browser);
    });
  };

  const started = async (t: ExecutionContext<Shared>, { fleet, prepare }: Wanted): Promise<FakeGateway> => {
    const gateway = await startFakeGateway(t.context.folder, typeof fleet === 'function' ? fleet() : fleet);
    t.teardown(() => gateway.close());
    prepare?.(gateway);
    return gateway;
  };

  return {
    withGateway: (title, wanted, check) =>
      spec(title, async (t, browser) => {
        const gateway = await started(t, wanted);
        const open = (path = '', options?: BrowserContextOptions) =>
          openPage(t, browser, `${gateway.url}${path}`, options);
        await check(t, { gateway, open });
      }),
    withPage: (title, wanted, check) =>
      spec(title, async (t, browser) => {
        const gateway = await started(t, wanted);
        const viewport = { width: wanted.width ?? 1440, height: 900 };
        await check(t, {
          gateway,
          page: await openPage(t, browser, `${gateway.url}${wanted.path ?? ''}`, { viewport }),
        });
      }),
    onRealGateway: (title, check) =>
      spec(title, async (t, browser) => {
        const muster = await startGateway(t);
        const page = await openPage(t, browser, muster.gateway.signInUrl ?? muster.url);
        await page.getByRole('button', { name: 'Not now' }).click();
        await check(t, { muster, page });
      }),
  };
}
