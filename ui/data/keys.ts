import { age, timeLeft } from './amounts.ts';
import type { KeyRow } from './gateway.ts';
import { dayText } from './times.ts';

/** What an admin reads of access keys. Times are the server's, in ms since 1970. */

const DAY_MS = 86_400_000;
/** A key that ends within so many days is worth a look. */
const SOON_DAYS = 7;

/** How long a key may work, in days; null: until it is revoked. */
export const LIFETIMES: readonly { readonly days: number | null; readonly text: string }[] = [
  { days: 7, text: '7 days' },
  { days: 30, text: '30 days' },
  { days: 90, text: '90 days' },
  { days: 365, text: '1 year' },
  { days: null, text: 'No end' },
];
export const USUAL_DAYS = 90;

/** ISO 8601; null: none. */
export function expiryAfter(days: number | null, nowMs: number): string | null {
  return days === null ? null : new Date(nowMs + days * DAY_MS).toISOString();
}

/** What the choice means: `Until 20 Feb 2027.` */
export function lifetimeText(days: number | null, nowMs: number): string {
  if (days === null) return 'It works until somebody revokes it.';
  return `Until ${dayText(nowMs + days * DAY_MS)}.`;
}

export interface KeyEnd {
  readonly tone: 'ok' | 'idle' | 'warn' | 'danger';
  readonly text: string;
  /** The day; null: there is no end. */
  readonly date: string | null;
}

export function keyEnd({ expiresAt }: Pick<KeyRow, 'expiresAt'>, nowMs: number): KeyEnd {
  if (expiresAt === null) return { tone: 'idle', text: 'No end', date: null };
  const at = Date.parse(expiresAt);
  const date = dayText(at);
  if (at <= nowMs) return { tone: 'danger', text: 'Expired', date };
  const tone = at - nowMs <= SOON_DAYS * DAY_MS ? 'warn' : 'ok';
  return { tone, text: `Ends ${timeLeft(at, nowMs)}`, date };
}

export interface KeyUse {
  readonly title: string;
  readonly command: string;
}

/** How a program shows a key, as commands for a shell that has it in MUSTER_KEY. The key itself stands in none. */
export function keyUses(keyId: string, origin: string): readonly KeyUse[] {
  return [
    { title: 'On REST', command: `curl -H "Authorization: Bearer $MUSTER_KEY" ${origin}/api/v1/agents` },
    {
      title: 'On the bus',
      command:
        `nats --user ${keyId} --password "\${MUSTER_KEY#mk_*_}" --inbox-prefix _INBOX_${keyId} ` +
        `request muster.query.${keyId}.agents '{}'`,
    },
  ];
}

export function keyRevocationConsequences({ name, role, lastUsedAt }: KeyRow, nowMs: number): readonly string[] {
  return [
    `Whatever shows “${name}” is refused from now on, on REST and on the bus; its live connections end.`,
    lastUsedAt === null
      ? `It has the role ${role}. Nothing has used it on this gateway since that started.`
      : `It has the role ${role} and was used ${age(Date.parse(lastUsedAt), nowMs)} ago: see that what needs it has another key.`,
    'It cannot be taken back. What it did stays in the log, under its id.',
  ];
}
