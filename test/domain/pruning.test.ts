import test from 'ava';
import { fc, testProp } from '@fast-check/ava';
import {
  isNamedBy,
  planPrune,
  type ImagePlan,
  type PrunableImage,
  type PruneSituation,
} from '../../domain/pruning/plan.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 1);
const DIGEST = `sha256:${'a'.repeat(64)}`;
const NEVER = { normal: null, aggressive: null };
const LONG_AGO = { normal: NOW - HOUR, aggressive: NOW - HOUR };

const desktop: PrunableImage = {
  imageId: 'sha256:desktop',
  tags: ['desktop:1'],
  digests: [`desktop@${DIGEST}`],
  sizeBytes: 100,
};
const untagged: PrunableImage = { ...desktop, tags: [] };

/** One image that we pulled as desktop:1, and that met every rule an hour ago. */
function given(image: PrunableImage, changes: Partial<PruneSituation> = {}): PruneSituation {
  const pulled = { imageId: image.imageId, references: ['docker.io/library/desktop:1'], metSince: LONG_AGO };
  return {
    mode: 'normal',
    images: [image],
    pulled: new Map([[image.imageId, pulled]]),
    containers: new Map(),
    awaited: [],
    defined: [],
    graceMs: HOUR,
    now: NOW,
    ...changes,
  };
}

function planned(situation: PruneSituation): ImagePlan {
  const [plan] = planPrune(situation);
  if (plan === undefined) throw new Error('nothing was planned');
  return plan;
}

const WHOLE = { tags: ['desktop:1'], whole: true };
const KEPT = null;

const rows: readonly (readonly [string, PruneSituation, ImagePlan['removal'], string])[] = [
  ['normal removes what has no tag left', given(untagged), { tags: [], whole: true }, 'it has no tag left'],
  ['normal keeps what has one', given(desktop), KEPT, 'it is still called desktop:1'],
  [
    'aggressive removes what no image definition names',
    given(desktop, { mode: 'aggressive' }),
    WHOLE,
    'no image definition names it',
  ],
  [
    'aggressive keeps what one names, however it is spelled',
    given(desktop, { mode: 'aggressive', defined: ['index.docker.io/library/desktop:1'] }),
    KEPT,
    'an image definition names it',
  ],
  [
    'aggressive keeps what one names by its digest',
    given(untagged, { mode: 'aggressive', defined: [`desktop:7@${DIGEST}`], pulled: pulledAs(`desktop:7@${DIGEST}`) }),
    KEPT,
    'an image definition names it',
  ],
  [
    'aggressive keeps what has a name while the definitions are not known',
    given(desktop, { mode: 'aggressive', defined: null }),
    KEPT,
    'it has a name, and no gateway has told whether an image definition names it',
  ],
  [
    'aggressive removes what has no tag left, whether or not the definitions are known',
    given(untagged, { mode: 'aggressive', defined: null }),
    { tags: [], whole: true },
    'it has no tag left',
  ],
  ['off removes nothing', given(untagged, { mode: 'off' }), KEPT, 'nothing is removed in the mode off'],
  ['what Muster did not pull stays', given(untagged, { pulled: new Map() }), KEPT, 'Muster did not pull it'],
  [
    'what a container refers to stays',
    given(untagged, { containers: new Map([[untagged.imageId, 2]]) }),
    KEPT,
    '2 containers use it',
  ],
  [
    'what a session is to start from stays',
    given(desktop, { mode: 'aggressive', awaited: ['desktop:1'] }),
    KEPT,
    'it is being pulled, or a session that is to run here needs it',
  ],
  [
    'it stays within the grace',
    given(untagged, { now: NOW - 1 }),
    KEPT,
    'it has no tag left; the grace lasts a minute more',
  ],
  [
    'the grace begins when the rule is first met',
    given(untagged, { pulled: pulledAs('desktop:1') }),
    KEPT,
    'it has no tag left; the grace lasts 60 minutes more',
  ],
  [
    'a grace of 0 is none',
    given(untagged, { pulled: pulledAs('desktop:1'), graceMs: 0 }),
    { tags: [], whole: true },
    'it has no tag left',
  ],
  [
    'of several tags only ours go',
    given({ ...desktop, tags: ['desktop:1', 'mine:1'] }, { mode: 'aggressive' }),
    { tags: ['desktop:1'], whole: false },
    'no image definition names it; somebody else calls it mine:1, so it stays',
  ],
  [
    'with no tag of ours it stays as it is',
    given({ ...desktop, tags: ['mine:1'] }, { mode: 'aggressive' }),
    KEPT,
    'no image definition names it, but somebody else calls it mine:1',
  ],
  [
    'normal keeps what was asked for by its digest, which never had a tag',
    given(untagged, { pulled: pulledAs(`desktop@${DIGEST}`) }),
    KEPT,
    `it is still called desktop@${DIGEST}`,
  ],
];

function pulledAs(reference: string): PruneSituation['pulled'] {
  return new Map([[desktop.imageId, { imageId: desktop.imageId, references: [reference], metSince: NEVER }]]);
}

for (const [title, situation, removal, why] of rows) {
  test(title, (t) => {
    const plan = planned(situation);
    t.deepEqual(plan.removal, removal);
    t.is(plan.why, why);
  });
}

test('the grace begins anew when an image was in use meanwhile', (t) => {
  const used = planned(given(untagged, { containers: new Map([[untagged.imageId, 1]]) }));
  t.deepEqual(used.metSince, NEVER);
});

test('since when the rule of each mode is met is known in every mode, so that a prune by hand finds it', (t) => {
  const situation = given(desktop, { mode: 'off', pulled: pulledAs('desktop:1') });
  t.deepEqual(planned(situation).metSince, { normal: null, aggressive: NOW });
  const unknown = given(desktop, { mode: 'off', defined: null });
  t.deepEqual(planned(unknown).metSince, { normal: null, aggressive: NOW - HOUR }, 'what is not known changes nothing');
});

test('a reference names an image by digest or by tag, never by one in the place of the other', (t) => {
  t.true(isNamedBy(desktop, 'docker.io/library/desktop:1'));
  t.true(isNamedBy(desktop, `desktop:other@${DIGEST}`));
  t.false(isNamedBy(desktop, 'desktop'));
  t.false(isNamedBy(desktop, `desktop:1@sha256:${'b'.repeat(64)}`));
});

const TAGS = ['a:1', 'a:2', 'b:1', 'quay.io/c/d:1'];
const DIGESTS = [`a@${DIGEST}`, `b@sha256:${'b'.repeat(64)}`];
const references = fc.subarray([...TAGS, ...DIGESTS]);
const image = fc.record({
  imageId: fc.constantFrom('sha256:1', 'sha256:2', 'sha256:3'),
  tags: fc.subarray(TAGS),
  digests: fc.subarray(DIGESTS),
  sizeBytes: fc.nat(),
});
const time = fc.constantFrom(null, NOW - 2 * HOUR, NOW - HOUR / 2, NOW);
const pull = fc.record({
  imageId: fc.constantFrom('sha256:1', 'sha256:2'),
  references,
  metSince: fc.record({ normal: time, aggressive: time }),
});
const situation: fc.Arbitrary<PruneSituation> = fc.record({
  mode: fc.constantFrom('off', 'normal', 'aggressive'),
  images: fc.uniqueArray(image, { selector: ({ imageId }) => imageId }),
  pulled: fc.array(pull).map((pulls) => new Map(pulls.map((each) => [each.imageId, each]))),
  containers: fc.array(fc.constantFrom('sha256:1', 'sha256:2')).map((ids) => new Map(ids.map((id) => [id, 1]))),
  awaited: references,
  defined: fc.option(references),
  graceMs: fc.constantFrom(0, HOUR),
  now: fc.constant(NOW),
});

function removed(of: PruneSituation): readonly ImagePlan[] {
  return planPrune(of).filter(({ removal }) => removal !== null);
}

/** What breaks a rule among what is to go. */
function broken(of: PruneSituation, isBroken: (plan: ImagePlan) => boolean): readonly ImagePlan[] {
  return removed(of).filter(isBroken);
}

testProp('nothing that is in use, and nothing that Muster did not pull, is ever removed', [situation], (t, world) => {
  const { pulled, containers, awaited } = world;
  const wrong = broken(
    world,
    ({ image: gone }) =>
      !pulled.has(gone.imageId) ||
      containers.has(gone.imageId) ||
      awaited.some((reference) => isNamedBy(gone, reference)),
  );
  t.deepEqual(wrong, []);
});

testProp('nothing is removed within the grace, and nothing at all in the mode off', [situation], (t, world) => {
  const wrong = broken(world, ({ metSince }) => {
    const met = world.mode === 'off' ? null : (metSince?.[world.mode] ?? null);
    return met === null || NOW - met < world.graceMs;
  });
  t.deepEqual(wrong, []);
});

testProp('what normal removes, aggressive removes', [situation], (t, world) => {
  // Whatever meets the one rule meets the other, at the latest at the same time.
  const pulled = new Map(
    [...world.pulled].map(([id, each]) => {
      const { normal, aggressive } = each.metSince;
      const earlier = normal === null ? aggressive : Math.min(normal, aggressive ?? normal);
      return [id, { ...each, metSince: { normal, aggressive: earlier } }];
    }),
  );
  const ids = (mode: 'normal' | 'aggressive') => removed({ ...world, pulled, mode }).map((each) => each.image.imageId);
  const aggressive = new Set(ids('aggressive'));
  t.deepEqual(
    ids('normal').filter((id) => !aggressive.has(id)),
    [],
  );
});

testProp('while the definitions are not known, what has a tag stays', [situation], (t, world) => {
  t.deepEqual(
    broken({ ...world, defined: null }, ({ image: gone }) => gone.tags.length > 0),
    [],
  );
});

testProp('a tag that is not ours stays, and so does its image', [situation], (t, world) => {
  const wrong = broken(world, ({ image: gone, removal }) => {
    const ours = world.pulled.get(gone.imageId)?.references ?? [];
    const others = gone.tags.filter((tag) => !ours.includes(tag));
    return others.length > 0 && (removal?.whole === true || removal?.tags.some((tag) => others.includes(tag)) === true);
  });
  t.deepEqual(wrong, []);
});
