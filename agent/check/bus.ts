import type { AgentHost } from '../../infra/agentIdentity.ts';
import { askDesired, isNotPermitted } from '../../infra/bus/agentAsk.ts';
import { connectBus } from '../../infra/bus/connect.ts';
import { isBusRefused, isBusUntrusted, isBusWithoutTls, isJetStreamAway } from '../../infra/bus/errors.ts';
import type { ForeignTime } from '../../infra/bus/time.ts';
import type { BusTls } from '../../infra/bus/tls.ts';
import type { Clock } from '../../infra/clock.ts';
import { isCertificateError } from '../../infra/tls/certificate.ts';
import { agentBusOptions } from '../bus.ts';
import type { Credential } from '../credential.ts';
import { ok, warning, wrong, type Finding } from './finding.ts';
import { failedWith, whyNot, type Look } from './probe.ts';

const CHECK = 'bus';

export type BusAccount = {
  /** Of nats-server; null: this agent has never joined, and so did not enter. */
  readonly version: string | null;
  /** `unanswered`: it is in, and no gateway answers it. */
  readonly standing: 'stranger' | 'pending' | 'approved' | 'unanswered';
  /** A gateway's; null: none has told it. */
  readonly time: ForeignTime | null;
  /** How far this host's clock is ahead of that, in ms; null with `time`. */
  readonly aheadMs: number | null;
};

/** Who asks. Without a credential it has never joined, and a check is no reason to: it would wait for approval from then on. */
export type Asker = { readonly agentId: string; readonly host: AgentHost; readonly credential: Credential | null };

export type BusLook = { readonly url: string; readonly look: Look<BusAccount> };

/** One try at one server. */
export async function askBus(url: string, asker: Asker, clock: Pick<Clock, 'now'>, tls?: BusTls): Promise<BusAccount> {
  const { agentId, host, credential } = asker;
  // Aborted at once, so that the first failure is the answer instead of the next try.
  const oneTry = new AbortController();
  const where = { url, tls };
  const shown = credential ?? { password: () => 'none yet' };
  const connecting = connectBus({ ...agentBusOptions(where, agentId, host, shown), signal: oneTry.signal });
  oneTry.abort();
  try {
    const bus = await connecting;
    try {
      const version = bus.connection.info?.version ?? 'unknown';
      return { version, ...(await standingOn(bus, agentId, clock)) };
    } finally {
      await bus.close();
    }
  } catch (error) {
    if (credential !== null || !isBusRefused(error)) throw error;
    return { version: null, standing: 'stranger', time: null, aheadMs: null };
  }
}

async function standingOn(
  bus: Awaited<ReturnType<typeof connectBus>>,
  agentId: string,
  clock: Pick<Clock, 'now'>,
): Promise<Omit<BusAccount, 'version'>> {
  const asked = clock.now();
  try {
    const { now } = await askDesired(bus, agentId);
    const withinMs = clock.now() - asked;
    // Given between asking and the answer; the middle is the best guess of when.
    const time = { ms: Date.parse(now) + withinMs / 2, withinMs };
    return { standing: 'approved', time, aheadMs: clock.now() - time.ms };
  } catch (error) {
    const silent = { time: null, aheadMs: null };
    if (isNotPermitted(error)) return { standing: 'pending', ...silent };
    if (isJetStreamAway(error)) return { standing: 'unanswered', ...silent };
    throw error;
  }
}

export type BusSetting =
  /** `alone`: whoever started the check means an agent that runs by itself. */
  | { readonly kind: 'none'; readonly alone: boolean }
  /** There is nothing to show the bus, and why. */
  | { readonly kind: 'unarmed'; readonly why: string }
  | { readonly kind: 'set'; readonly looks: readonly BusLook[]; readonly fingerprint: string | null };

/** Whether the bus is reached, lets this agent in, and what it is told there. */
export function judgeBus(setting: BusSetting): readonly Finding[] {
  if (setting.kind === 'none') {
    const text = 'MUSTER_NATS_URL is not set';
    if (setting.alone) return [wrong(CHECK, `${text}, so this agent has no bus`, 'set it in the configuration')];
    return [warning(CHECK, `${text}: well with \`npm start\`, but an agent that runs by itself needs it`)];
  }
  if (setting.kind === 'unarmed') {
    return [wrong(CHECK, setting.why, 'bring a manager token here: npx muster manager-token issue, on a gateway')];
  }
  const findings = setting.looks.map((look) => aboutServer(look, setting.fingerprint));
  // Of a cluster one server is enough.
  const reached = findings.some(({ level }) => level !== 'wrong');
  return findings.map(({ check, level, text, mend }) => ({
    check,
    level: reached && level === 'wrong' ? 'warning' : level,
    text,
    mend,
  }));
}

function aboutServer({ url, look }: BusLook, fingerprint: string | null): Finding {
  if (look.kind !== 'seen') return unreachable(url, look);
  const { version, standing } = look.facts;
  switch (standing) {
    case 'stranger':
      return ok(
        CHECK,
        `a nats-server answers at ${url}; whether it lets this agent in shows when the agent is started`,
      );
    case 'pending':
      return warning(
        CHECK,
        `nats-server ${version} at ${url} let this agent in, which waits for its approval`,
        `compare the fingerprint and approve it: ${fingerprint ?? 'unknown'}`,
      );
    case 'unanswered':
      return warning(CHECK, `${url} let this agent in, and no gateway answers`, 'start a gateway on this very bus');
    case 'approved':
      return ok(CHECK, `nats-server ${version} at ${url} lets this agent in`);
  }
}

function unreachable(url: string, look: Exclude<Look<BusAccount>, { kind: 'seen' }>): Finding {
  if (look.kind === 'failed' && isBusRefused(look.error)) {
    const mend =
      'see that a gateway runs, that the manager token is a live one (npx muster manager-token list) and that this agent was ' +
      'not revoked';
    return wrong(CHECK, `${url} does not let this agent in`, mend);
  }
  if (look.kind === 'failed' && isBusWithoutTls(look.error)) {
    const mend = 'give that nats-server a certificate, or write nats:// where the way to it is safe';
    return wrong(CHECK, `${url} does not speak TLS`, mend);
  }
  if (look.kind === 'failed' && isBusUntrusted(look.error)) {
    const mend =
      'name the file with its authority in MUSTER_NATS_CA, and the name in its certificate in MUSTER_NATS_URL';
    return wrong(CHECK, whyNot(look), mend);
  }
  if (look.kind === 'failed' && isCertificateError(look.error)) {
    return wrong(CHECK, `${url} cannot be used: ${look.error.message}`, 'mend MUSTER_NATS_CA, _CERT and _KEY');
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
