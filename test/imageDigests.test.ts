import test from 'ava';
import { digestFor, ImageDigests } from '../agent/engine/imageDigests.ts';

const [ONE, TWO] = ['1', '2'].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];

const TABLE: readonly (readonly [string, string, readonly string[], string | null])[] = [
  ['a tag', 'r.example:5000/a/b:1', [`r.example:5000/a/b@${ONE}`], ONE],
  ['the default registry, which engines leave away', 'docker.io/library/alpine:3', [`alpine@${ONE}`], ONE],
  ['a name without a registry', 'alpine', [`docker.io/library/alpine@${ONE}`], ONE],
  ['the repository that was asked for', 'r.example/a:1', [`other.example/a@${ONE}`, `r.example/a@${TWO}`], TWO],
  ['only another repository', 'r.example/a:1', [`other.example/a@${ONE}`], null],
  ['the digest that was asked for', `r.example/a@${TWO}`, [`r.example/a@${ONE}`, `r.example/a@${TWO}`], TWO],
  ['an image that was built here', 'desktop:1', [], null],
  ['a container made from an id', ONE, [`r.example/a@${ONE}`], null],
  [
    'no digest',
    'r.example/a:1',
    ['r.example/a@latest', 'r.example/a@sha256:12', '<none>@<none>', 'r.example/a:1'],
    null,
  ],
];

for (const [what, reference, known, digest] of TABLE) {
  test(`the digest of an image: ${what}`, (t) => {
    t.is(digestFor(reference, known), digest);
  });
}

test('an engine is asked once what a container was made from, and again when it could not tell', async (t) => {
  const digests = new ImageDigests();
  const asked: string[] = [];
  const container = { Id: 'c-1', Image: 'sha256:image', Config: { Image: 'r.example/a:1' } };
  const ask = async (imageId: string) => {
    asked.push(imageId);
    if (asked.length === 1) throw new Error('away');
    return [`r.example/a@${ONE}`];
  };
  await t.throwsAsync(digests.of(container, ask), { message: 'away' });
  t.is(await digests.of(container, ask), ONE);
  t.is(await digests.of(container, ask), ONE);
  t.deepEqual(asked, ['sha256:image', 'sha256:image']);
});
