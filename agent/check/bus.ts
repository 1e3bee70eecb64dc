import { jetStreamApi } from '../../infra/bus/api.ts';
import { connectBus } from '../../infra/bus/connect.ts';
import { hasServerCode, isBusRefused, isBusWithoutTls, isJetStreamAway, ServerCode } from '../../infra/bus/errors.ts';
import { busTime, type ForeignTime } from '../../infra/bus/time.ts';
import type { Clock } from '../../infra/clock.ts';
import { DESIRED_STREAM } from '../../infra/names.ts';
import { ok, warning, wrong, type Finding } from './finding.ts';
import { failedWith, whyNot, type Look } from './probe.ts';

const CHECK = 'bus';
const USER = 'muster-app';

export type BusAccount = {
  readonly version: string;
  readonly jetStream: boolean;
  /** Null: no gateway has made the streams yet, so there is nothing to ask for the time. */
  readonly time: ForeignTime | null;
  /** How far this host's clock is ahead of the bus's, in ms; null with `time`. */
  readonly aheadMs: number | null;
};

export type BusLook = { readonly url: string; readonly look: Look<BusAccount> };

/** One try at one server. */
export async function askBus(url: string, password: string, clock: Pick<Clock, 'now'>): Promise<BusAccount> {
  // Aborted at once, so that the first failure is the answer instead of the next try.
  const oneTry = new AbortController();
  const connecting = connectBus({ url, user: USER, password, name: 'agent check', signal: oneTry.signal });
  oneTry.abort();
  const bus = await connecting;
  try {
    const version = bus.connection.info?.version ?? 'unknown';
    if (!(await hasJetStream(jetStreamApi(bus, 'INFO')))) {
      return { version, jetStream: false, time: null, aheadMs: null };
    }
    const time = await unlessNoStream(busTime(bus, clock, DESIRED_STREAM));
    return { version, jetStream: true, time, aheadMs: time === null ? null : clock.now() - time.ms };
  } finally {
    await bus.close();
  }
}

async function hasJetStream(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    if (isJetStreamAway(error) || hasServerCode(error, ServerCode.jetStreamOff, ServerCode.jetStreamOffForAccount))
      return false;
    throw error;
  }
}

async function unlessNoStream(time: Promise<ForeignTime>): Promise<ForeignTime | null> {
  try {
    return await time;
  } catch (error) {
    if (hasServerCode(error, ServerCode.streamNotFound)) return null;
    throw error;
  }
}

export type BusSetting =
  /** `alone`: whoever started the check means an agent that runs by itself. */
  { readonly kind: 'none'; readonly alone: boolean } | { readonly kind: 'set'; readonly looks: readonly BusLook[] };

/** Whether the bus is reached with this password, and has what an agent needs of it. */
export function judgeBus(setting: BusSetting): readonly Finding[] {
  if (setting.kind === 'none') {
    const text = 'MUSTER_NATS_URL or its password is not set';
    if (setting.alone) return [wrong(CHECK, `${text}, so this agent has no bus`, 'set both in the configuration')];
    return [warning(CHECK, `${text}: well with \`npm start\`, but an agent that runs by itself needs both`)];
  }
  const findings = setting.looks.map(aboutServer);
  // Of a cluster one server is enough.
  const reached = findings.some(({ level }) => level !== 'wrong');
  return findings.map(({ check, level, text, mend }) => ({
    check,
    level: reached && level === 'wrong' ? 'warning' : level,
    text,
    mend,
  }));
}

function aboutServer({ url, look }: BusLook): Finding {
  if (look.kind !== 'seen') return unreachable(url, look);
  const { version, jetStream, time } = look.facts;
  if (!jetStream) {
    return wrong(
      CHECK,
      `${url} answers, and JetStream is off`,
      'start that nats-server with the nats.conf of this repository',
    );
  }
  if (time === null) {
    return warning(CHECK, `${url} answers, and no gateway has used it yet`, 'start the gateway with this very bus');
  }
  return ok(CHECK, `nats-server ${version} at ${url} takes this password`);
}

function unreachable(url: string, look: Exclude<Look<BusAccount>, { kind: 'seen' }>): Finding {
  if (look.kind === 'failed' && isBusRefused(look.error)) {
    const mend = 'set MUSTER_NATS_APP_PASSWORD to the appPassword in bus.json, in the data folder of the first host';
    return wrong(CHECK, `${url} refuses the password of the user ${USER}`, mend);
  }
  if (look.kind === 'failed' && isBusWithoutTls(look.error)) {
    const mend = 'give that nats-server a certificate, or write nats:// where the way to it is safe';
    return wrong(CHECK, `${url} does not speak TLS`, mend);
  }
  if (failedWith(look, 'ENOTFOUND', 'EAI_AGAIN')) {
    return wrong(
      CHECK,
      `${url} names a host that is not known`,
      'check MUSTER_NATS_URL and the name service: getent hosts',
    );
  }
  if (failedWith(look, 'ECONNREFUSED', 'CONNECTION_REFUSED')) {
    return wrong(
      CHECK,
      `nobody listens at ${url}`,
      'start the bus, or check the port of MUSTER_NATS_URL; over a tunnel: start the tunnel',
    );
  }
  if (look.kind === 'late' || failedWith(look, 'TIMEOUT', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH')) {
    return wrong(
      CHECK,
      `${url} does not answer as a nats-server: a firewall drops it, or something else listens there`,
      'check MUSTER_NATS_URL and the firewall between this host and the bus',
    );
  }
  return wrong(CHECK, `${url} cannot be used: ${whyNot(look)}`, 'check MUSTER_NATS_URL and the log of nats-server');
}
