import { writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { CertificateFiles } from '../../infra/tls/certificate.ts';
import type { Issued } from './certificates.ts';

/** Writes a certificate and its key where a server finds them. */
export async function install(folder: string, { cert, key }: Issued, keyMode = 0o600): Promise<CertificateFiles> {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await writeFile(files.cert, cert);
  await writeFile(files.key, key, { mode: keyMode });
  return files;
}

/** The serial number of the certificate that an HTTPS server shows a new connection. */
export async function serialAt(port: number): Promise<string> {
  return await serialOf(connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }));
}

/** The same of a nats-server, which greets in plain text first. */
export async function serialAtBus(port: number): Promise<string> {
  const socket = connectPlain(port, '127.0.0.1');
  await once(socket, 'data');
  return await serialOf(connectTls({ socket, rejectUnauthorized: false }));
}

async function serialOf(socket: TLSSocket): Promise<string> {
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

export interface AskOptions {
  /** The authority that is trusted for https. */
  readonly ca?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Opens a request with an authority and a Host of one's own, neither of which fetch can be given. */
export async function askUrl(
  url: string,
  { ca, method = 'GET', headers = {}, body }: AskOptions,
): Promise<IncomingMessage> {
  const sent = body === undefined ? '' : JSON.stringify(body);
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const open = url.startsWith('https:') ? httpsRequest : httpRequest;
  const request = open(url, {
    ...(ca === undefined ? {} : { ca, servername: new URL(url).hostname }),
    method,
    headers: { ...headers, ...type },
    agent: false,
  });
  request.end(sent);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

export interface WholeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export async function wholeOf(response: IncomingMessage): Promise<WholeAnswer> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}
