import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { freeLoopbackPort } from '../infra/start/ports.ts';
import { makeAuthority } from './support/certificates.ts';
import { temporaryFolder } from './support/folder.ts';
import { startGateway } from './support/gateway.ts';
import { askUrl, install, wholeOf, type WholeAnswer } from './support/tls.ts';

/** A real gateway with a certificate, and one behind a proxy that has it. */

const authority = makeAuthority('authority of the gateway');

interface TlsGateway {
  readonly port: number;
  readonly signInUrl: string;
  readonly ask: (path: string, headers?: Readonly<Record<string, string>>, body?: unknown) => Promise<WholeAnswer>;
}

async function startTlsGateway(t: ExecutionContext): Promise<TlsGateway> {
  const files = await install(await temporaryFolder(t), authority.issue(['localhost', 'muster.test']));
  const port = await freeLoopbackPort();
  const env = {
    MUSTER_HTTP: `127.0.0.1:${port}`,
    MUSTER_PUBLIC_URL: `https://muster.test:${port}`,
    MUSTER_TLS_CERT: files.cert,
    MUSTER_TLS_KEY: files.key,
  };
  const { gateway } = await startGateway(t, { env });
  return {
    port,
    signInUrl: gateway.signInUrl ?? '',
    ask: async (path, headers = {}, body) => {
      const method = body === undefined ? 'GET' : 'POST';
      return await wholeOf(
        await askUrl(`https://localhost:${port}${path}`, { ca: authority.pem, method, headers, body }),
      );
    },
  };
}

function codeOf({ text }: WholeAnswer): unknown {
  return (JSON.parse(text) as { readonly code?: unknown }).code;
}

test('over TLS browsers are told to come back that way, and the cookie is for TLS and this host alone', async (t) => {
  const { ask, port, signInUrl } = await startTlsGateway(t);
  t.true(signInUrl.startsWith(`https://muster.test:${port}/#sign-in=`));
  const host = `muster.test:${port}`;
  const page = { host, origin: `https://${host}` };
  const answer = await ask('/api/v1/sign-in', page, { token: signInUrl.split('=')[1] });
  t.is(answer.status, 204);
  t.is(answer.headers['strict-transport-security'], 'max-age=31536000');
  const [cookie = ''] = answer.headers['set-cookie'] ?? [];
  t.regex(cookie, /^__Host-muster=[^;]+; .*Path=\/; HttpOnly; Secure; SameSite=Strict/);
  t.notRegex(cookie, /domain/i);
  const shown = cookie.split(';')[0] ?? '';
  t.is((await ask('/api/v1/me', { host, cookie: shown })).status, 200);
  t.is(
    (await ask('/api/v1/me', { host, cookie: shown.replace('__Host-', '') })).status,
    401,
    'a name that anybody may set',
  );
});

test('over TLS a host is asked for by its public name or on loopback, and a change comes from that very page', async (t) => {
  const { ask, port } = await startTlsGateway(t);
  for (const host of [`muster.test:${port}`, `MUSTER.test:${port}`, `localhost:${port}`, `127.0.0.1:${port}`]) {
    t.is(codeOf(await ask('/api/v1/me', { host })), 'SIGN_IN_NEEDED', host);
  }
  for (const host of [`evil.test:${port}`, 'muster.test', 'muster.test.evil.test']) {
    t.is(codeOf(await ask('/api/v1/me', { host })), 'HOST_REFUSED', host);
  }
  const host = `muster.test:${port}`;
  const foreign = [`http://${host}`, 'https://evil.test', 'null'];
  for (const origin of foreign)
    t.is(codeOf(await ask('/api/v1/sign-in', { host, origin }, { token: 'x' })), 'ORIGIN_REFUSED', origin);
});

test('where TLS is spoken nothing else is, and no TLS before 1.2', async (t) => {
  const { port } = await startTlsGateway(t);
  const plain = connectPlain(port, '127.0.0.1');
  plain.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  let answer = '';
  plain.on('data', (data: Buffer) => (answer += data.toString('latin1')));
  plain.on('error', () => undefined);
  await once(plain, 'close');
  t.notRegex(answer, /HTTP\/1\.1 (2|3)/);
  const old = connectTls({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
  });
  const [error]: unknown[] = await once(old, 'error');
  t.truthy(error);
});

test('behind a proxy with TLS the public name is accepted, and the cookie is for TLS there', async (t) => {
  const port = await freeLoopbackPort();
  const env = { MUSTER_HTTP: `127.0.0.1:${port}`, MUSTER_PUBLIC_URL: 'https://muster.test' };
  const { gateway } = await startGateway(t, { env });
  t.is(gateway.url, 'https://muster.test');
  const signIn = async (headers: Readonly<Record<string, string>>): Promise<WholeAnswer> => {
    const body = { token: gateway.signInUrl?.split('=')[1] };
    return await wholeOf(await askUrl(`http://127.0.0.1:${port}/api/v1/sign-in`, { method: 'POST', headers, body }));
  };
  t.is((await signIn({ host: 'evil.test', origin: 'https://evil.test' })).status, 421);
  t.is((await signIn({ host: 'muster.test', origin: 'https://evil.test' })).status, 403);
  const answer = await signIn({ host: 'muster.test', origin: 'https://muster.test' });
  t.is(answer.status, 204);
  t.regex(answer.headers['set-cookie']?.[0] ?? '', /^__Host-muster=.*; Secure/);
  t.is(answer.headers['strict-transport-security'], undefined, 'the proxy says so, if it wants to');
});
