import type { Actor } from '../../domain/events.ts';
import type { AgentView, ChangeView, ImageView } from '../../projections/views.ts';
import { addressOf } from './page.ts';

/** What agents and images are called; what is gone is called by its id. */
export interface Names {
  readonly agents: ReadonlyMap<string, Pick<AgentView, 'hostname'>>;
  readonly images: ReadonlyMap<string, Pick<ImageView, 'name'>>;
}

type About = NonNullable<ChangeView['about']>;

export const CHANGE_TONES: Readonly<Record<ChangeView['weight'], 'ok' | 'idle' | 'warn'>> = {
  good: 'ok',
  plain: 'idle',
  trouble: 'warn',
};

export function aboutName({ kind, id }: About, { agents, images }: Names): string {
  switch (kind) {
    case 'agent':
      return agents.get(id)?.hostname ?? id;
    case 'image':
      return images.get(id)?.name ?? id;
    case 'session':
    case 'access':
      return id;
  }
}

export function aboutAddress({ kind, id }: About): string {
  switch (kind) {
    case 'agent':
      return addressOf({ page: 'agents', id });
    case 'image':
      return addressOf({ page: 'images', id });
    case 'session':
      return addressOf({ page: 'sessions', id });
    case 'access':
      return addressOf({ page: 'access' });
  }
}

/** `By admin`, `Told by agent host-1`, `By Muster itself`. */
export function actorText({ kind, id }: Actor): string {
  switch (kind) {
    case 'operator':
      return `By ${id}`;
    case 'agent':
      return `Told by agent ${id}`;
    case 'automation':
      return `By key ${id}`;
    case 'system':
      return 'By Muster itself';
  }
}
