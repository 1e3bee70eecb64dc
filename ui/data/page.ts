/** The pages of the dashboard, in the order of the navigation. Their addresses differ in the fragment alone, so the gateway serves one document. */
export const PAGES = ['overview', 'agents', 'sessions', 'images', 'access'] as const;
export type Page = (typeof PAGES)[number];

export const PAGE_NAMES: Readonly<Record<Page, string>> = {
  overview: 'Overview',
  agents: 'Agents',
  sessions: 'Sessions',
  images: 'Images',
  access: 'Access',
};

/** Pages that list things, each of which has a page of its own behind its id. */
type ListPage = Extract<Page, 'agents' | 'sessions' | 'images'>;
const LISTS: ReadonlySet<Page> = new Set<ListPage>(['agents', 'sessions', 'images']);

/** What an address shows. */
export interface Place {
  readonly page: Page;
  /** Of the one agent, session or image; null where all are shown. */
  readonly id: string | null;
  /** What stands behind `?`: filters and order of a list, without the `?`. */
  readonly query: string;
}

/** In place of an id: the image that is about to be defined. No id holds such a character. */
export const NEW_IMAGE = '+';

export const OVERVIEW: Place = { page: 'overview', id: null, query: '' };

/** What a fragment shows; null when there is no such page. `#/fleet` is what the overview was once called. */
export function placeAt(hash: string): Place | null {
  const [path = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  if (path === '' || path === '/' || path === '/fleet') return { ...OVERVIEW, query };
  const [before, name = '', id = '', ...more] = path.split('/');
  const page = PAGES.find((each) => each === name && each !== 'overview');
  if (before !== '' || page === undefined || more.length > 0) return null;
  if (id !== '' && !LISTS.has(page)) return null;
  return { page, id: id === '' ? null : id, query };
}

export function addressOf({ page, id = null, query = '' }: { readonly page: Page } & Partial<Place>): string {
  const path = page === 'overview' ? '' : page;
  return `#/${path}${id === null ? '' : `/${id}`}${query === '' ? '' : `?${query}`}`;
}

/** Whether two addresses show the same thing, only filtered or ordered otherwise. */
export function isSamePlace(a: Place | null, b: Place | null): boolean {
  return a?.page === b?.page && a?.id === b?.id;
}

/** `host-1 – Agents – Muster`. `name` is what the one thing shown is called, null on a list. */
export function titleOf(place: Place | null, name: string | null): string {
  if (place === null) return 'No such page – Muster';
  if (place.page === 'overview') return 'Muster';
  return `${name === null ? '' : `${name} – `}${PAGE_NAMES[place.page]} – Muster`;
}
