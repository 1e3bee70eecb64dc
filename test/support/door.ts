import type { ExecutionContext } from 'ava';
import { agentClientName, agentPassword, newAgentSecret } from '../../infra/agentIdentity.ts';
import { issueKey } from './busCaller.ts';
import { startGateway, type Rest, type TestGateway } from './gateway.ts';
import { until } from './until.ts';
import { rawClient, type RawClient, type Shown } from './rawClient.ts';

const LET_IN_MS = 10_000;

/** A gateway and the bus that it guards. */
type Guarded = Rest & Pick<TestGateway, 'nats'>;

/** What agents and programs show a bus with a gateway that has issued a manager token. */
export interface TestDoor {
  readonly token: string;
  /** What an agent shows; the same secret for the same name in one test. */
  credentials(
    agentId: string,
    changes?: { readonly token?: string; readonly secret?: string },
  ): Required<Pick<Shown, 'user' | 'pass' | 'name'>>;
  enter(shown: Shown): Promise<RawClient | null>;
  /** The same, and it must be let in; it tries again, as agents do while two gateways settle who leads. */
  entered(shown: Shown): Promise<RawClient>;
  /** An agent that has connected and was approved, and the connection that it has since. */
  approved(agentId: string): Promise<RawClient>;
  issueKey(
    role: 'viewer' | 'operator' | 'admin',
    expiresAt?: string,
  ): Promise<{ readonly user: string; readonly pass: string }>;
}

export async function startDoor(
  t: ExecutionContext,
  env: Readonly<Record<string, string>> = {},
): Promise<TestDoor & { readonly muster: TestGateway }> {
  const muster = await startGateway(t, { env });
  return { ...(await doorOf(t, muster)), muster };
}

/** The same with a gateway that runs already. */
export async function doorOf(t: ExecutionContext, muster: Guarded): Promise<TestDoor> {
  const token = await issueToken(muster);
  const secrets = new Map<string, string>();

  function credentials(
    agentId: string,
    changes: { readonly token?: string; readonly secret?: string } = {},
  ): Required<Pick<Shown, 'user' | 'pass' | 'name'>> {
    const own = secrets.get(agentId) ?? newAgentSecret();
    secrets.set(agentId, own);
    const pass = agentPassword(changes.token ?? token, changes.secret ?? own);
    return { user: agentId, pass, name: agentClientName({ hostname: `host-of-${agentId}`, simulated: false }) };
  }

  const enter = (shown: Shown): Promise<RawClient | null> => rawClient(t, muster.nats.url, shown);

  async function entered(shown: Shown): Promise<RawClient> {
    let client: RawClient | null = null;
    const isIn = async (): Promise<boolean> => (client = await enter(shown)) !== null;
    await until(`${shown.user} is let in`, isIn, (isDone) => isDone, LET_IN_MS);
    if (client === null) throw new Error(`${shown.user} was not let in`);
    return client;
  }

  return {
    token,
    credentials,
    enter,
    entered,
    async approved(agentId) {
      const pending = await entered(credentials(agentId));
      const { status, body } = await muster.request('POST', `/agents/${agentId}/approve`, { body: {} });
      if (status !== 200) throw new Error(JSON.stringify(body));
      await pending.ended;
      return await entered(credentials(agentId));
    },
    async issueKey(role, expiresAt) {
      const { keyId, secret } = await issueKey(muster, role, expiresAt ?? null);
      return { user: keyId, pass: secret };
    },
  };
}

async function issueToken(muster: Rest): Promise<string> {
  const answer = await muster.request('POST', '/manager-tokens', { body: {} });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return (answer.body as { readonly text: string }).text;
}
