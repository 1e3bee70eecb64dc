/** Times of day and days, in local time and 24 hours. */

const DAY_SECONDS = 86_400;

/** `Sun 22 Nov, 14:32`. */
export function timeText(ms: number, { withYear = false } = {}): string {
  const date = new Date(ms);
  const year = withYear ? ({ year: 'numeric' } as const) : {};
  const day = date.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short', ...year });
  return `${day}, ${timeOfDay(date)}`;
}

/** `22 Nov 2026, 14:32:07`. */
export function exactTime(ms: number): string {
  return `${dayText(ms)}, ${clockText(ms)}`;
}

/** `22 Nov 2026`. */
export function dayText(ms: number): string {
  return new Date(ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}

/** `14:32:07`. */
export function clockText(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB');
}

/** What stands at a tick of a time axis whose ticks are so many seconds apart: the day where one begins. */
export function timeAtTick(ms: number, stepSeconds: number): string {
  const date = new Date(ms);
  const isDay =
    stepSeconds >= DAY_SECONDS || (date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0);
  if (isDay) return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return stepSeconds < 60 ? clockText(ms) : timeOfDay(date);
}

function timeOfDay(date: Date): string {
  return date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
