import type { CheckIn, ObservedSession } from '../domain/checkIn.ts';

/** What a check-in is shortened to. The bus carries messages of 2 MB; most check-ins weigh 3 to 30 KB. */
export const CHECK_IN_LIMIT_BYTES = 256 * 1024;

const SHORT_DETAIL = 100;
const FEW_PRUNES = 4;

/**
 * What is left out, one after another until it fits: first what is only measured and is measured again at the next
 * check-in, then what explains or is for the record, last where a session is reached. Never which sessions there are, what they do and how
 * they ended, nor the hardware: events follow from them, and something unsaid would be taken for something gone.
 */
const SHORTENINGS: readonly ((checkIn: CheckIn) => CheckIn)[] = [
  ({ images, ...rest }) =>
    images === undefined ? rest : { ...rest, images: images.map((image) => ({ ...image, references: [] })) },
  ({ images: _images, ...rest }) => rest,
  (checkIn) => withSessions(checkIn, ({ pull: _pull, ...session }) => session),
  (checkIn) => ({ ...checkIn, usage: { ...checkIn.usage, sessions: [] } }),
  // They come again until the log has them.
  ({ prunes, ...rest }) =>
    prunes === undefined ? rest : { ...rest, prunes: { ...prunes, records: prunes.records.slice(0, FEW_PRUNES) } },
  (checkIn) => withSessions(checkIn, (session) => withDetail(session, SHORT_DETAIL)),
  (checkIn) => ({ ...checkIn, usage: { ...checkIn.usage, gpus: [] } }),
  (checkIn) => withSessions(checkIn, (session) => withDetail(session, 0)),
  (checkIn) => withSessions(checkIn, (session) => ({ ...session, endpoints: session.endpoints.slice(0, 1) })),
  (checkIn) => withSessions(checkIn, ({ imageDigest: _imageDigest, ...session }) => session),
  (checkIn) => withSessions(checkIn, (session) => ({ ...session, containerId: null })),
  (checkIn) => withSessions(checkIn, (session) => ({ ...session, endpoints: [] })),
];

/** The check-in as it may be sent. It says so when something was left out. */
export function boundedCheckIn(checkIn: CheckIn, limitBytes: number = CHECK_IN_LIMIT_BYTES): CheckIn {
  let bounded = checkIn;
  for (const shorten of SHORTENINGS) {
    if (bytesOf(bounded) <= limitBytes) return bounded;
    bounded = { ...shorten(bounded), truncated: true };
  }
  return bounded;
}

export function bytesOf(checkIn: CheckIn): number {
  return Buffer.byteLength(JSON.stringify(checkIn));
}

function withSessions(checkIn: CheckIn, change: (session: ObservedSession) => ObservedSession): CheckIn {
  return { ...checkIn, sessions: checkIn.sessions.map(change) };
}

function withDetail(session: ObservedSession, length: number): ObservedSession {
  const { failure } = session;
  if (failure === null || failure.detail.length <= length) return session;
  const detail = length === 0 ? '' : `${failure.detail.slice(0, length - 3)}...`;
  return { ...session, failure: { ...failure, detail } };
}
