import test, { type ExecutionContext } from 'ava';
import type { Rejection } from '../../domain/decision.ts';
import type { FleetFact } from '../../domain/events.ts';
import type { EnrolAgent, FleetCommand } from '../../domain/fleet/commands.ts';
import { decideFleet } from '../../domain/fleet/decide.ts';
import { evolveFleet } from '../../domain/fleet/evolve.ts';
import { initialFleet, PENDING_LIMIT } from '../../domain/fleet/state.ts';
import { idFrom, isId } from '../../domain/ids.ts';
import type { ImageDefinition } from '../../domain/images/image.ts';
import { MANAGER_TOKENS_LIMIT } from '../../domain/managerTokens/state.ts';
import { anImage } from '../support/builders.ts';

function aDefinition(change: Partial<ImageDefinition> = {}): ImageDefinition {
  return { ...anImage(), name: 'Desktop', ...change };
}

const define = (change: Partial<ImageDefinition> = {}, ifRevision: number | null = null): FleetCommand => ({
  type: 'DefineImage',
  image: aDefinition(change),
  ifRevision,
});
const defined = (change: Partial<ImageDefinition> = {}): FleetFact => ({
  type: 'ImageDefined',
  data: { image: aDefinition(change) },
});
const enrolled = (agentId: string): FleetFact => ({
  type: 'AgentEnrolled',
  data: { agentId, hostname: agentId, simulated: false, fingerprint: 'f1' },
});
const enrol = (agentId: string): EnrolAgent => ({
  type: 'EnrolAgent',
  agentId,
  hostname: agentId,
  simulated: false,
  fingerprint: 'f1',
  expected: false,
});
const approve = { type: 'ApproveAgent', agentId: 'agent-1', zone: 'default', fingerprint: null } as const;
const approved: FleetFact = { type: 'AgentApproved', data: { agentId: 'agent-1', zone: 'default' } };
const revoke = { type: 'RevokeAgent', agentId: 'agent-1' } as const;
const revoked: FleetFact = { type: 'AgentRevoked', data: { agentId: 'agent-1' } };
const remove = { type: 'RemoveAgent', agentId: 'agent-1', left: null } as const;
const removed: FleetFact = { type: 'AgentRemoved', data: { agentId: 'agent-1' } };
const ZONE: FleetFact = { type: 'ZoneCreated', data: { zone: 'default' } };

const NOW = '2026-11-01T12:00:00.000Z';

function given(...facts: readonly FleetFact[]) {
  const state = initialFleet();
  for (const [index, fact] of facts.entries()) evolveFleet(state, fact, { version: index + 1, time: NOW });
  return {
    state,
    when(command: FleetCommand, now = NOW, allowed: readonly string[] = ['docker.io', 'registry.example:5000']) {
      const decision = decideFleet(state, command, {
        allowedRegistries: allowed,
        version: facts.length,
        now,
      });
      const made = decision.kind === 'accepted' ? decision.facts : [];
      return {
        facts: made,
        expect(t: ExecutionContext, expected: readonly FleetFact[]) {
          t.is(decision.kind, 'accepted');
          t.deepEqual(made, expected);
        },
        refused(t: ExecutionContext, code: Rejection['code']) {
          t.is(decision.kind === 'rejected' ? decision.rejection.code : null, code);
        },
      };
    },
  };
}

test('an image is defined at revision 1; another definition of it is the next revision; the same again is nothing', (t) => {
  given().when(define()).expect(t, [defined()]);
  const revised = given(defined()).when(define({ millicores: 2000 }));
  const image = aDefinition({ millicores: 2000, revision: 2 });
  revised.expect(t, [{ type: 'ImageRevised', data: { image, previous: aDefinition() } }]);
  given(defined()).when(define()).expect(t, []);
  given(defined())
    .when(define({ revision: 99 }))
    .expect(t, []);
});

test('an image is revised only as the editor last saw it; revision 0 means that there is none yet', (t) => {
  given(defined())
    .when(define({ name: 'Other' }, 2))
    .refused(t, 'STALE');
  given(defined())
    .when(define({ name: 'Other' }, 0))
    .refused(t, 'STALE');
  t.is(given(defined()).when(define({ name: 'Other' }, 1)).facts.length, 1);
  t.is(given().when(define({}, 0)).facts.length, 1);
});

test('a retired image is gone, and its id starts again above its last revision', (t) => {
  const retire = { type: 'RetireImage', imageId: 'desktop', ifRevision: null } as const;
  const retired: FleetFact = { type: 'ImageRetired', data: { imageId: 'desktop', revision: 1 } };
  given(defined()).when(retire).expect(t, [retired]);
  given(defined(), retired).when(retire).refused(t, 'IMAGE_UNKNOWN');
  given(defined())
    .when({ ...retire, ifRevision: 2 })
    .refused(t, 'STALE');
  given(defined(), retired)
    .when(define())
    .expect(t, [defined({ revision: 2 })]);
});

test('an environment variable that looks like a secret is refused', (t) => {
  for (const name of ['DB_PASSWORD', 'ApiKey', 'api_key', 'AWS_SECRET_ACCESS_KEY', 'GITHUB_TOKEN', 'SSH_PRIVATE_KEY']) {
    given()
      .when(define({ environment: { [name]: 'x' } }))
      .refused(t, 'ENVIRONMENT_LOOKS_SECRET');
  }
  t.is(given().when(define({ environment: { LANG: 'C.UTF-8', MONKEY: '1' } })).facts.length, 1);
});

test('an image comes from a registry on the list; without a registry it is one of docker.io', (t) => {
  const from = (reference: string, allowed?: readonly string[]) => given().when(define({ reference }), NOW, allowed);
  const reference = 'registry.example:5000/muster/desktop:1';
  from(reference).expect(t, [defined({ reference })]);
  for (const accepted of ['muster/desktop', 'Docker.IO/muster/desktop', 'index.docker.io/muster/desktop']) {
    from(accepted).expect(t, [defined({ reference: accepted })]);
    from(accepted, ['registry.example:5000']).refused(t, 'REGISTRY_NOT_ALLOWED');
  }
  from('REGISTRY.EXAMPLE:5000/x').expect(t, [defined({ reference: 'REGISTRY.EXAMPLE:5000/x' })]);
  for (const refused of [
    'other.example/desktop',
    'registry.example/desktop',
    'registry.example:5001/desktop',
    'localhost/desktop',
    'docker.io:443/library/desktop',
    'docker.io.other.example/desktop',
    'Other/desktop',
  ]) {
    from(refused).refused(t, 'REGISTRY_NOT_ALLOWED');
  }
  from('Not A Reference').refused(t, 'REFERENCE_INVALID');
});

test('a revision records the digest of its reference, whatever the command says, and none for a tag', (t) => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const reference = `muster/desktop:1@${digest}`;
  given()
    .when(define({ reference }))
    .expect(t, [defined({ reference, digest })]);
  given(defined({ reference, digest })).when(define({ reference })).expect(t, []);
  given().when(define({ digest })).expect(t, [defined()]);
});

test('the first word of an unknown agent enrols it, once', (t) => {
  given()
    .when(enrol('agent-1'))
    .expect(t, [enrolled('agent-1')]);
  given(enrolled('agent-1')).when(enrol('agent-1')).expect(t, []);
});

test('an agent is whoever has its secret; one that was enrolled without is whoever shows the first', (t) => {
  const as = (fingerprint: string | null): FleetCommand => ({ ...enrol('agent-1'), fingerprint });
  given(enrolled('agent-1')).when(as('f2')).refused(t, 'AGENT_SECRET_WRONG');
  given(enrolled('agent-1')).when(as(null)).expect(t, []);
  const nameless: FleetFact = {
    type: 'AgentEnrolled',
    data: { agentId: 'agent-1', hostname: 'agent-1', simulated: false, fingerprint: null },
  };
  const fleet = given(ZONE, nameless, approved);
  fleet.when(as('f1')).expect(t, [enrolled('agent-1')]);
  given(ZONE, nameless, approved, enrolled('agent-1')).when(as('f2')).refused(t, 'AGENT_SECRET_WRONG');
  t.is(given(ZONE, nameless, approved, enrolled('agent-1')).state.agents.get('agent-1')?.zone, 'default');
});

test('one that is expected takes no place among those that wait', (t) => {
  const pending = Array.from({ length: PENDING_LIMIT }, (_, index) => enrolled(`agent-${index}`));
  given(...pending)
    .when({ ...enrol('one-more'), expected: true })
    .expect(t, [enrolled('one-more')]);
});

test('at most 100 agents wait for approval', (t) => {
  const pending = Array.from({ length: PENDING_LIMIT }, (_, index) => enrolled(`agent-${index}`));
  given(...pending)
    .when(enrol('one-more'))
    .refused(t, 'PENDING_FULL');
  given(...pending)
    .when(enrol('agent-7'))
    .expect(t, []);
  const dealtWith: readonly FleetFact[] = [
    { type: 'AgentApproved', data: { agentId: 'agent-7', zone: 'default' } },
    revoked,
    removed,
  ];
  for (const fact of dealtWith) {
    given(...pending, fact)
      .when(enrol('one-more'))
      .expect(t, [enrolled('one-more')]);
  }
});

test('an agent is approved into one zone', (t) => {
  given(ZONE, enrolled('agent-1')).when(approve).expect(t, [approved]);
  given(ZONE, enrolled('agent-1'), approved).when(approve).expect(t, []);
  given(ZONE).when(approve).refused(t, 'AGENT_UNKNOWN');
  given(enrolled('agent-1')).when(approve).refused(t, 'ZONE_UNKNOWN');
  const other: FleetFact = { type: 'ZoneCreated', data: { zone: 'other' } };
  given(ZONE, other, enrolled('agent-1'), approved)
    .when({ ...approve, zone: 'other' })
    .refused(t, 'AGENT_ALREADY_APPROVED');
});

test('an agent is approved only with the fingerprint that was compared, when one was', (t) => {
  const compared = (fingerprint: string) => ({ ...approve, fingerprint });
  given(ZONE, enrolled('agent-1')).when(compared('f1')).expect(t, [approved]);
  given(ZONE, enrolled('agent-1')).when(compared('f2')).refused(t, 'FINGERPRINT_DIFFERS');
  given(ZONE, enrolled('agent-1'), approved).when(compared('f2')).refused(t, 'FINGERPRINT_DIFFERS');
  const nameless: FleetFact = {
    type: 'AgentEnrolled',
    data: { agentId: 'agent-1', hostname: 'agent-1', simulated: false, fingerprint: null },
  };
  given(ZONE, nameless).when(compared('f1')).refused(t, 'FINGERPRINT_DIFFERS');
  given(ZONE, nameless).when(approve).expect(t, [approved]);
});

test('a revoked agent is never approved, stays listed, and may not come again', (t) => {
  const before: readonly FleetFact[] = [ZONE, enrolled('agent-1')];
  given(...before)
    .when(revoke)
    .expect(t, [revoked]);
  given(...before, approved)
    .when(revoke)
    .expect(t, [revoked]);
  for (const facts of [
    [...before, revoked],
    [...before, approved, revoked],
  ]) {
    const fleet = given(...facts);
    fleet.when(revoke).expect(t, []);
    fleet.when(approve).refused(t, 'AGENT_REVOKED');
    fleet.when(enrol('agent-1')).refused(t, 'AGENT_REVOKED');
    t.is(fleet.state.agents.get('agent-1')?.revokedAt, NOW);
  }
  given(ZONE).when(revoke).refused(t, 'AGENT_UNKNOWN');
});

test('an agent is removed while it is pending or when it was revoked; then its id can begin anew', (t) => {
  const before: readonly FleetFact[] = [ZONE, enrolled('agent-1')];
  given(...before)
    .when(remove)
    .expect(t, [removed]);
  given(...before, approved)
    .when(remove)
    .refused(t, 'AGENT_NOT_REVOKED');
  const known = given(...before, approved, revoked);
  known.when({ ...remove, left: known.state.agents.get('agent-1')?.approval ?? null }).expect(t, [removed]);
  // Who has not heard of the approval has not asked the zone to let it go.
  given(...before, approved, revoked)
    .when(remove)
    .refused(t, 'STALE');
  const gone = given(...before, approved, revoked, removed);
  t.is(gone.state.agents.size, 0);
  gone.when(remove).refused(t, 'AGENT_UNKNOWN');
  gone.when(enrol('agent-1')).expect(t, [enrolled('agent-1')]);
  const again = given(...before, approved, revoked, removed, enrolled('agent-1'));
  t.like(again.state.agents.get('agent-1'), { zone: null, revokedAt: null });
});

const tokenIssued = (tokenId: string): FleetFact => ({
  type: 'ManagerTokenIssued',
  data: { tokenId, fingerprint: 'f' },
});
const tokenRevoked = (tokenId: string): FleetFact => ({ type: 'ManagerTokenRevoked', data: { tokenId } });
const issueToken = (tokenId: string): FleetCommand => ({ type: 'IssueManagerToken', tokenId, fingerprint: 'f' });
const revokeToken = (tokenId: string, force = false): FleetCommand => ({ type: 'RevokeManagerToken', tokenId, force });

test('a manager token is good from its issue until it is revoked', (t) => {
  given()
    .when(issueToken('m1'))
    .expect(t, [tokenIssued('m1')]);
  given(tokenIssued('m1')).when(issueToken('m1')).refused(t, 'MANAGER_TOKEN_EXISTS');
  const two = given(tokenIssued('m1'), tokenIssued('m2'));
  t.deepEqual(two.state.managerTokens.get('m1'), { tokenId: 'm1', fingerprint: 'f', issuedAt: NOW });
  two.when(revokeToken('m1')).expect(t, [tokenRevoked('m1')]);
  const rotated = given(tokenIssued('m1'), tokenIssued('m2'), tokenRevoked('m1'));
  t.deepEqual([...rotated.state.managerTokens.keys()], ['m2']);
  rotated.when(revokeToken('m1')).refused(t, 'MANAGER_TOKEN_UNKNOWN');
});

test('the last manager token ends only by force', (t) => {
  const one = given(tokenIssued('m1'));
  one.when(revokeToken('m1')).refused(t, 'MANAGER_TOKEN_LAST');
  one.when(revokeToken('m1', true)).expect(t, [tokenRevoked('m1')]);
  given(tokenIssued('m1'), tokenRevoked('m1'))
    .when(issueToken('m2'))
    .expect(t, [tokenIssued('m2')]);
});

test('at most 8 manager tokens are live', (t) => {
  const tokens = Array.from({ length: MANAGER_TOKENS_LIMIT }, (_, index) => tokenIssued(`m${index}`));
  given(...tokens)
    .when(issueToken('one-more'))
    .refused(t, 'MANAGER_TOKENS_FULL');
  given(...tokens, tokenRevoked('m3'))
    .when(issueToken('one-more'))
    .expect(t, [tokenIssued('one-more')]);
});

const span = { since: '2026-11-01T11:59:00.000Z', until: NOW };
const record = (counts: Readonly<Record<string, number>>): FleetCommand => ({
  type: 'RecordRejections',
  ...span,
  counts,
});
const rejections = (counts: Record<string, number>): FleetFact => ({
  type: 'ConnectionsRejected',
  data: { ...span, counts },
});

test('rejected connections are summed up at most once a minute', (t) => {
  const counts = { TOKEN_WRONG: 3 };
  given()
    .when(record(counts))
    .expect(t, [rejections(counts)]);
  const recorded = given(rejections(counts));
  recorded.when(record(counts), '2026-11-01T12:00:59.999Z').refused(t, 'TOO_SOON');
  recorded.when(record(counts), '2026-11-01T12:01:00.000Z').expect(t, [rejections(counts)]);
  recorded.when(record({})).expect(t, []);
});

test('a summary of rejections has at most 12 codes; the rarest are counted together', (t) => {
  const twelve = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`CODE_${index}`, index + 1]));
  given()
    .when(record({ ...twelve, NEVER: 0 }))
    .expect(t, [rejections(twelve)]);
  const { CODE_0: _, CODE_1: __, ...ten } = twelve;
  const { CODE_2: ___, ...nine } = ten;
  given()
    .when(record({ ...twelve, FREQUENT: 99 }))
    .expect(t, [rejections({ ...ten, FREQUENT: 99, OTHER: 3 })]);
  given()
    .when(record({ ...twelve, OTHER: 5, FREQUENT: 99 }))
    .expect(t, [rejections({ ...nine, FREQUENT: 99, OTHER: 5 + 1 + 2 + 3 })]);
});

test('a zone is created once', (t) => {
  given().when({ type: 'CreateZone', zone: 'default' }).expect(t, [ZONE]);
  given(ZONE).when({ type: 'CreateZone', zone: 'default' }).expect(t, []);
});

test('an id is 1 to 64 letters, digits, "_" or "-"; a host name becomes one', (t) => {
  t.deepEqual(['a', 'A-b_9', 'x'.repeat(64)].map(isId), [true, true, true]);
  t.deepEqual(['', 'a.b', 'a b', 'x'.repeat(65), 'a*'].map(isId), [false, false, false, false, false]);
  t.is(idFrom('gpu-02.example.com'), 'gpu-02-example-com');
  t.is(idFrom('***'), 'agent');
  t.is(idFrom('x'.repeat(80)).length, 64);
});
