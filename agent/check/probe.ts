import { hasErrno } from '../../infra/start/errors.ts';

/** What a look at something outside brought: its facts, or why there are none. */
export type Look<Facts> =
  | { readonly kind: 'seen'; readonly facts: Facts }
  | { readonly kind: 'late'; readonly limitMs: number }
  | { readonly kind: 'failed'; readonly error: Error };

/**
 * Runs one look with a time limit; it never rejects. What hangs is left behind: the process that checks ends without it.
 */
export async function probe<Facts>(limitMs: number, run: () => Promise<Facts>): Promise<Look<Facts>> {
  const late = Promise.withResolvers<Look<Facts>>();
  const timer = setTimeout(() => late.resolve({ kind: 'late', limitMs }), limitMs);
  const seen = async (): Promise<Look<Facts>> => {
    try {
      return { kind: 'seen', facts: await run() };
    } catch (error) {
      return { kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) };
    }
  };
  try {
    return await Promise.race([seen(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Why there are no facts, in a few words. */
export function whyNot(look: Exclude<Look<unknown>, { kind: 'seen' }>): string {
  switch (look.kind) {
    case 'late':
      return `no answer within ${look.limitMs / 1000} s`;
    case 'failed':
      return look.error.message;
  }
}

/** Whether a failed look, or what caused it, is one of these system errors. */
export function failedWith(look: Look<unknown>, ...codes: readonly string[]): boolean {
  if (look.kind !== 'failed') return false;
  let error: unknown = look.error;
  while (error instanceof Error) {
    const { cause } = error;
    if (hasErrno(error, ...codes)) return true;
    error = cause;
  }
  return false;
}
