import type { AgentBus } from '../../agent/ports.ts';
import type { DesiredDocument } from '../../domain/desired.ts';
import { agentPassword } from '../../infra/agentIdentity.ts';
import type { Clock } from '../../infra/clock.ts';
import type { SimulatedBus } from './bus.ts';
import type { Connection, Entrance } from './entrance.ts';
import type { Random } from './random.ts';

/** How an agent enters the bus. */
export interface Way {
  readonly entrance: Entrance;
  readonly random: Random;
  /** On the host's disk: what admits it, and what tells it from every other. Read anew at every try. */
  readonly credential: { token: string; secret: string };
}

export interface LinkOptions extends Way {
  readonly bus: SimulatedBus;
  readonly agentId: string;
  /** It ends with the program. */
  readonly clock: Clock;
  readonly isAlive: () => boolean;
  readonly onDeath: (error: unknown) => void;
}

/** An agent that is refused tries again within this. */
const LONGEST_PAUSE_MS = 10_000;

/** The bus as one program has it: for as long as it runs its connection comes back by itself, and it reads what it has missed. */
export function linkedBus(options: LinkOptions): AgentBus {
  const { bus, agentId, isAlive, onDeath } = options;
  let connection: Connection | null = null;
  let watching: ((document: DesiredDocument) => void) | null = null;
  const own = bus.agentBus(agentId, () => (isAlive() ? (connection?.standing ?? 'out') : 'out'));

  async function readMissed(): Promise<void> {
    // One that is thrown out again meanwhile reads it when it is back.
    const document = await own.readDesired().catch(() => null);
    if (document !== null) watching?.(document);
  }

  connect(options, (current) => {
    connection = current;
    if (connection?.standing === 'approved') void readMissed();
  }).catch(onDeath);
  return {
    ...own,
    watchDesired(onDocument, signal) {
      watching = onDocument;
      own.watchDesired(onDocument, signal);
    },
  };
}

/** For ever. `onChange` is told of every connection, and of its end. */
async function connect(
  { entrance, agentId, credential, clock, random }: LinkOptions,
  onChange: (connection: Connection | null) => void,
): Promise<void> {
  for (;;) {
    const password = agentPassword(credential.token, credential.secret);
    const connection = await entrance.enter({ agentId, password, from: agentId });
    if (connection !== null) {
      onChange(connection);
      await connection.closed;
      onChange(null);
    }
    await clock.sleep(random.int(50, connection === null ? LONGEST_PAUSE_MS : 500));
  }
}
