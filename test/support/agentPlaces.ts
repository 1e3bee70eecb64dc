import type { Page } from 'playwright-core';
import type { FakeGateway } from './fakeGateway.ts';

/** What is looked at: at which gateway and where it is, and what to do until it shows. */
export interface LookedAt {
  readonly at: 'full' | 'small' | 'empty' | 'signedOut' | 'viewer' | 'first';
  readonly path?: string;
  readonly show: (page: Page, gateway: FakeGateway) => Promise<void>;
}

/** What is set and done on the page of one agent. */
export const agentPlaces: Readonly<Record<string, LookedAt>> = {
  'the settings of an agent that somebody else changes meanwhile': {
    at: 'small',
    path: '/#/agents/host-7',
    show: async (page, gateway) => {
      const settings = page.getByRole('form', { name: 'Settings of host-7' });
      await settings.getByLabel('Labels').fill('GPU=l40');
      await settings.getByLabel('Aggressive:').check();
      await page.getByRole('button', { name: 'Save settings' }).click();
      await settings.getByText('a key is 1 to 63 small letters').waitFor();
      const agent = gateway.fleet.agents.find(({ agentId }) => agentId === 'host-7');
      if (agent !== undefined) gateway.patch({ agents: [{ ...agent, pruneMode: 'normal', settingsVersion: 99 }] });
      await settings.getByText('Somebody has changed these settings meanwhile.').waitFor();
    },
  },
  'the preview before images are pruned': {
    at: 'small',
    path: '/#/agents/host-7',
    show: async (page) => {
      await page.getByRole('button', { name: 'Prune now' }).click();
      await page.getByLabel('Aggressive:').last().check();
      await page.getByText('2 of 4 images go').waitFor();
      await page.getByText('2 images stay').click();
    },
  },
  'the result after images were pruned': {
    at: 'small',
    path: '/#/agents/host-7',
    show: async (page) => {
      await page.getByRole('button', { name: 'Prune now' }).click();
      await page.getByLabel('Aggressive:').last().check();
      await page.getByRole('button', { name: 'Remove 2 images' }).click();
      await page.getByRole('list', { name: 'What was done' }).waitFor();
    },
  },
};
