import * as z from 'zod';
import { connectionProblem } from '../eventStore/connectionString.ts';

/** Where the event logs are kept. `url` is a connection string, which may hold a password. */
export type EventLogPlace = { readonly kind: 'nats' } | { readonly kind: 'eventStore'; readonly url: string };

export function id(): z.ZodString {
  return z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -');
}

export function integer(least: number, most: number): z.ZodType<number, string> {
  return z.string().transform((value, context) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= least && number <= most) return number;
    context.addIssue({
      code: 'custom',
      message: `must be a whole number from ${least} to ${most}`,
    });
    return z.NEVER;
  });
}

export function parseEventLog(value: string, context: z.RefinementCtx): EventLogPlace {
  if (value === 'nats') return { kind: 'nats' };
  const message = connectionProblem(value);
  if (message === null) return { kind: 'eventStore', url: value };
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

export function parseRegistries(value: string, context: z.RefinementCtx): readonly string[] {
  const names = value.split(',').map((name) => name.trim());
  if (!names.every((name) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(name))) {
    context.addIssue({
      code: 'custom',
      message: 'must be host names such as docker.io, with commas between them',
    });
  }
  return names;
}

export function parseIds(value: string, context: z.RefinementCtx): readonly string[] {
  if (value === '') return [];
  const ids = value.split(',').map((text) => text.trim());
  if (!ids.every((text) => id().safeParse(text).success)) {
    context.addIssue({ code: 'custom', message: 'must be ids (letters, digits, _ or -), with commas between them' });
  }
  return ids;
}

/** Ids become parts of subjects and file names, so every other character becomes a dash. */
export function agentIdFrom(host: string): string {
  const valid = host.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 64);
  return valid === '' ? 'agent' : valid;
}
