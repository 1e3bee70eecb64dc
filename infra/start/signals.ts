/**
 * One Ctrl-C may arrive as several signals: from the terminal, from npm, from the launcher. Within this time they are
 * one; a later one means "at once".
 */
const ONE_KEYSTROKE_MS = 700;

/** Resolves at the first signal; calls `atOnce` at a second one that is not the same keystroke. */
export function untilSignal(atOnce: () => void): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (): void => {
      const now = performance.now();
      first ??= now;
      if (now - first > ONE_KEYSTROKE_MS) atOnce();
      resolve();
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  });
}
