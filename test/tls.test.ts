import { X509Certificate } from 'node:crypto';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { Clock } from '../infra/clock.ts';
import { expiryWarning, isFor, namesOf, readAuthorities, readCertificate } from '../infra/tls/certificate.ts';
import { followCertificate } from '../infra/tls/follow.ts';
import { whyUntrusted } from '../infra/tls/untrusted.ts';
import { encryptedKey, makeAuthority } from './support/certificates.ts';
import { temporaryFolder } from './support/folder.ts';
import { manualClock } from './support/manualClock.ts';
import { install } from './support/tls.ts';
import { until } from './support/until.ts';

const authority = makeAuthority('authority of the tests');
const DAY_MS = 86_400_000;

test('a certificate and its key are read, with the names that it is for', async (t) => {
  const files = await install(await temporaryFolder(t), authority.issue(['muster.test', '*.lab.test', '10.1.2.3']));
  const { leaf } = await readCertificate(files);
  t.deepEqual(namesOf(leaf), ['muster.test', '*.lab.test', '10.1.2.3']);
  for (const host of ['muster.test', 'MUSTER.test', 'a.lab.test', '10.1.2.3']) t.true(isFor(leaf, host), host);
  for (const host of ['lab.test', 'a.b.lab.test', 'evil-muster.test', '10.1.2.4', '::1', ''])
    t.false(isFor(leaf, host), host);
});

test('what cannot be used is refused, and the file is named', async (t) => {
  const folder = await temporaryFolder(t);
  const [good, other] = [authority.issue(['muster.test']), authority.issue(['muster.test'])];
  const files = await install(folder, good);
  const refusal = async (): Promise<string> =>
    (await t.throwsAsync(readCertificate(files), { code: 'CERTIFICATE' }))?.message.replaceAll(folder, '') ?? '';
  await writeFile(files.key, other.key);
  t.is(await refusal(), 'the key in /key.pem does not belong to the certificate in /cert.pem');
  await writeFile(files.key, encryptedKey(good.key));
  t.is(await refusal(), '/key.pem holds no private key in PEM without a password');
  await writeFile(files.key, good.key.slice(0, 80));
  t.is(await refusal(), '/key.pem holds no private key in PEM without a password');
  await writeFile(files.key, good.key);
  await writeFile(files.cert, good.cert.slice(0, 200));
  t.is(await refusal(), '/cert.pem holds no certificate in PEM');
  await rm(files.cert);
  t.is(await refusal(), '/cert.pem is not there');
  await writeFile(files.cert, good.cert);
  await rm(files.key);
  t.is(await refusal(), '/key.pem is not there');
  await install(folder, good);
  t.truthy(await readCertificate(files));
});

for (const mode of [0o640, 0o604, 0o660]) {
  test(`a key of mode 0${mode.toString(8)} is refused with the command that mends it`, async (t) => {
    const files = await install(await temporaryFolder(t), authority.issue(['muster.test']));
    await chmod(files.key, mode);
    const error = await t.throwsAsync(readCertificate(files), { code: 'CERTIFICATE' });
    t.true(error?.message.includes(`mode 0${mode.toString(8)}): chmod 600 ${files.key}`));
  });
}

test('the authorities in a file are read one by one', async (t) => {
  const path = join(await temporaryFolder(t), 'ca.pem');
  const another = makeAuthority('another');
  await writeFile(path, `# both\n${authority.pem}\n${another.pem}`);
  t.deepEqual(await readAuthorities(path), [authority.pem.trim(), another.pem.trim()]);
  await writeFile(path, '');
  await t.throwsAsync(readAuthorities(path), { code: 'CERTIFICATE', message: /holds no certificate/ });
});

test('the end of a certificate is told for its last fifth, and for two weeks at most', (t) => {
  const now = Date.now();
  const warning = (fromDays: number, toDays: number): string | null => {
    const { cert } = authority.issue(['a.test'], { from: now + fromDays * DAY_MS, to: now + toDays * DAY_MS });
    return expiryWarning(new X509Certificate(cert), 'cert.pem', now);
  };
  t.is(warning(-10, 80), null);
  t.is(warning(-75, 15), null);
  t.regex(warning(-77, 13) ?? '', /^the certificate in cert\.pem expires at 20.*Z: replace it before$/);
  t.is(warning(-1, 0.5), null);
  t.regex(warning(-5, 1) ?? '', /expires at/);
  t.regex(warning(-5, -0.1) ?? '', /expired at .*nobody trusts it/);
  t.regex(warning(0.5, 5) ?? '', /not valid before/);
});

test('a new certificate is taken over; one that cannot be used is told at the second look, and the old one stays', async (t) => {
  const folder = await temporaryFolder(t);
  const [first, second] = [authority.issue(['a.test']), authority.issue(['a.test'])];
  const files = await install(folder, first);
  const clock = manualClock(Date.now());
  /** How often it has gone to sleep: the reading of the files before takes real time. */
  let sleeps = 0;
  const sleep: Clock['sleep'] = (ms, signal) => {
    sleeps += 1;
    return clock.sleep(ms, signal);
  };
  const asleep = (count: number): Promise<number> =>
    until(
      'the look',
      async () => sleeps,
      (now) => now === count,
    );
  const look = async (): Promise<void> => {
    const before = sleeps;
    await clock.advance(2000);
    await asleep(before + 1);
  };
  const end = new AbortController();
  const taken: string[] = [];
  const warnings: string[] = [];
  const following = followCertificate(
    {
      files,
      current: await readCertificate(files),
      clock: { ...clock, sleep },
      onNew: ({ cert }) => taken.push(cert),
      onWarning: (sentence) => warnings.push(sentence.replaceAll(folder, '')),
    },
    end.signal,
  );
  await asleep(1);
  await look();
  t.deepEqual([taken, warnings], [[], []]);
  await writeFile(files.cert, second.cert);
  await look();
  t.deepEqual([taken, warnings], [[], []], 'the key may follow in a moment');
  await look();
  await look();
  const problem =
    'the key in /key.pem does not belong to the certificate in /cert.pem; the certificate from before goes on';
  t.deepEqual([taken, warnings], [[], [problem]]);
  await writeFile(files.key, second.key);
  await look();
  t.deepEqual(taken, [second.cert]);
  clock.jump(9 * DAY_MS);
  await look();
  t.regex(warnings[1] ?? '', /expires at/);
  end.abort();
  await following;
});

test('why a certificate is not trusted is found behind what hides it, and other errors are none of it', (t) => {
  const coded = (code: string, cause?: unknown) => Object.assign(new Error('m', { cause }), { code });
  t.is(whyUntrusted(new TypeError('fetch failed', { cause: coded('CERT_HAS_EXPIRED') })), 'it has expired');
  t.is(whyUntrusted(coded('SELF_SIGNED_CERT_IN_CHAIN')), 'its authority is not known here');
  t.is(whyUntrusted(coded('ECONNREFUSED')), null);
  t.is(whyUntrusted('a text'), null);
});
