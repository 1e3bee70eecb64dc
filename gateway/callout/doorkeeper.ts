import type { FleetState } from '../../domain/fleet/state.ts';
import type { ServedConnection } from '../../infra/bus/connections.ts';
import type { Clock } from '../../infra/clock.ts';
import { Wake } from '../../infra/wake.ts';
import type { AccessKeys } from '../auth/keys.ts';
import { entryNamed, type Named } from './entry.ts';

/** Looks that often without being told to. */
const EVERY_MS = 60_000;
const TICK_MS = 1000;
/** Between two looks, however often it is told to: whoever is in without leave may speak all the time. */
const APART_MS = 200;
/**
 * So many further looks, a tick apart, after it was told to look: whoever was asked about before the change, or by a gateway that did
 * not know of it yet, comes in only after the first look. The bus waits for such an answer no longer than 2 s (nats.conf).
 */
const LATER_LOOKS = 3;
/** Somebody may slip in while the list is read; then it is read again, but not for ever. */
const MOST_PASSES = 3;

export interface DoorkeeperPorts {
  readonly connections: () => Promise<readonly ServedConnection[]>;
  readonly close: (connection: ServedConnection) => Promise<void>;
  readonly fleet: () => FleetState;
  readonly keys: Pick<AccessKeys, 'look'>;
  /** Whether an agent has said so much that it must not be in. */
  readonly isQuieted: (agentId: string) => boolean;
  /** Whether this gateway leads the fleet's log: another may know too little of who may be in. */
  readonly isLeading: () => boolean;
  readonly clock: Clock;
  readonly onClosed: (named: Named) => void;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

/**
 * Closes the connections of those who may no longer be in, or may by now do more than when they entered: a revoked agent, key
 * or token, an approved agent. They come in again as what they are, or not at all. It compares all who are in with what the
 * fleet's log says: at every change of that, once a minute, and when this gateway begins to lead, so nothing is missed.
 */
export class Doorkeeper {
  readonly #ports: DoorkeeperPorts;
  readonly #wake = new Wake();
  #wasLeading = false;

  constructor(ports: DoorkeeperPorts) {
    this.#ports = ports;
  }

  /** Something has changed in who may be in. */
  ring(): void {
    this.#wake.ring();
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, isLeading, onTrouble } = this.#ports;
    let nextLook = 0;
    let later = 0;
    while (!signal.aborted) {
      const why = await this.#wake.wait(clock, TICK_MS, signal);
      if (why === 'aborted') return;
      const leads = isLeading();
      const due = leads && (why === 'rung' || later > 0 || !this.#wasLeading || clock.now() >= nextLook);
      this.#wasLeading = leads;
      if (!due) continue;
      later = why === 'rung' ? LATER_LOOKS : Math.max(0, later - 1);
      try {
        await this.#look();
        nextLook = clock.now() + EVERY_MS;
      } catch (error) {
        // The bus is away for the moment, or slow: looked at again with the next tick.
        nextLook = 0;
        if (!signal.aborted) onTrouble('the connections of who was revoked are not closed yet; trying again', error);
      }
      await clock.sleep(APART_MS, signal);
    }
  }

  async #look(): Promise<void> {
    const { connections, close, onClosed } = this.#ports;
    for (let pass = 1; pass <= MOST_PASSES; pass += 1) {
      let closed = 0;
      for (const connection of await connections()) {
        const named = entryNamed(connection.name);
        if (named === null || this.#fits(named)) continue;
        await close(connection);
        onClosed(named);
        closed += 1;
      }
      if (closed === 0) return;
    }
  }

  #fits(named: Named): boolean {
    if (named.kind === 'key') return this.#ports.keys.look(named.keyId) !== null;
    const { agents, managerTokens } = this.#ports.fleet();
    const agent = agents.get(named.agentId);
    if (agent === undefined || agent.revokedAt !== null || !managerTokens.has(named.tokenId)) return false;
    if (this.#ports.isQuieted(named.agentId)) return false;
    return (agent.zone === null ? 'pending' : 'approved') === named.standing;
  }
}
