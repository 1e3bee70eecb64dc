import test, { type ExecutionContext } from 'ava';
import type { Rejection } from '../../domain/decision.ts';
import type { FleetFact } from '../../domain/events.ts';
import type { FleetCommand } from '../../domain/fleet/commands.ts';
import { decideFleet } from '../../domain/fleet/decide.ts';
import { evolveFleet } from '../../domain/fleet/evolve.ts';
import { initialFleet, PENDING_LIMIT } from '../../domain/fleet/state.ts';
import { idFrom, isId } from '../../domain/ids.ts';
import type { ImageDefinition } from '../../domain/images/image.ts';
import { parseReference } from '../../domain/images/reference.ts';
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
  data: { agentId, hostname: agentId, simulated: false },
});
const enrol = (agentId: string): FleetCommand => ({ type: 'EnrolAgent', agentId, hostname: agentId, simulated: false });
const ZONE: FleetFact = { type: 'ZoneCreated', data: { zone: 'default' } };

const NOW = '2026-11-01T12:00:00.000Z';

function given(...facts: readonly FleetFact[]) {
  const state = initialFleet();
  for (const [index, fact] of facts.entries()) evolveFleet(state, fact, { version: index + 1, time: NOW });
  return {
    when(command: FleetCommand) {
      const decision = decideFleet(state, command, {
        allowedRegistries: ['registry.example:5000'],
        version: facts.length,
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

test('an image comes from a registry on the list, or from none', (t) => {
  const from = (reference: string) => given().when(define({ reference }));
  from('registry.example:5000/muster/desktop:1').expect(t, [
    defined({ reference: 'registry.example:5000/muster/desktop:1' }),
  ]);
  from('muster/desktop').expect(t, [defined({ reference: 'muster/desktop' })]);
  from('other.example/desktop').refused(t, 'REGISTRY_NOT_ALLOWED');
  from('registry.example/desktop').refused(t, 'REGISTRY_NOT_ALLOWED');
  from('localhost/desktop').refused(t, 'REGISTRY_NOT_ALLOWED');
  from('Not A Reference').refused(t, 'REFERENCE_INVALID');
});

test('a container reference is read by the grammar of the OCI distribution', (t) => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const read = (registry: string | null, path: string, tag: string | null, of: string | null = null) => ({
    registry,
    path,
    tag,
    digest: of,
  });
  t.deepEqual(parseReference('desktop'), read(null, 'desktop', null));
  t.deepEqual(parseReference('desktop:1.0'), read(null, 'desktop', '1.0'));
  t.deepEqual(parseReference('muster/desk_top/x-y'), read(null, 'muster/desk_top/x-y', null));
  t.deepEqual(parseReference('localhost/desktop'), read('localhost', 'desktop', null));
  t.deepEqual(parseReference('host:5000/a/b:t'), read('host:5000', 'a/b', 't'));
  t.deepEqual(parseReference(`r.example/a@${digest}`), read('r.example', 'a', null, digest));
  t.deepEqual(parseReference(`a:t@${digest}`), read(null, 'a', 't', digest));
  for (const text of ['', 'A', 'a//b', '/a', 'a/', 'a:', 'a@sha256:12', 'a b', 'a:.t', '-a', 'a'.repeat(513)]) {
    t.is(parseReference(text), null, text.slice(0, 20));
  }
});

test('the first word of an unknown agent enrols it, once', (t) => {
  given()
    .when(enrol('agent-1'))
    .expect(t, [enrolled('agent-1')]);
  given(enrolled('agent-1')).when(enrol('agent-1')).expect(t, []);
});

test('at most 100 agents wait for approval', (t) => {
  const pending = Array.from({ length: PENDING_LIMIT }, (_, index) => enrolled(`agent-${index}`));
  given(...pending)
    .when(enrol('one-more'))
    .refused(t, 'PENDING_FULL');
  given(...pending)
    .when(enrol('agent-7'))
    .expect(t, []);
  const approved: FleetFact = { type: 'AgentApproved', data: { agentId: 'agent-7', zone: 'default' } };
  given(...pending, approved)
    .when(enrol('one-more'))
    .expect(t, [enrolled('one-more')]);
});

test('an agent is approved into one zone', (t) => {
  const approve = { type: 'ApproveAgent', agentId: 'agent-1', zone: 'default' } as const;
  const approved: FleetFact = { type: 'AgentApproved', data: { agentId: 'agent-1', zone: 'default' } };
  given(ZONE, enrolled('agent-1')).when(approve).expect(t, [approved]);
  given(ZONE, enrolled('agent-1'), approved).when(approve).expect(t, []);
  given(ZONE).when(approve).refused(t, 'AGENT_UNKNOWN');
  given(enrolled('agent-1')).when(approve).refused(t, 'ZONE_UNKNOWN');
  const other: FleetFact = { type: 'ZoneCreated', data: { zone: 'other' } };
  given(ZONE, other, enrolled('agent-1'), approved)
    .when({ ...approve, zone: 'other' })
    .refused(t, 'AGENT_ALREADY_APPROVED');
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
