import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

/** The program that `startRegistry` runs: its argument is the tar file that becomes each image's only layer. */
const LEAST_LAYER_BYTES = 100_000;
const SPOILT_AT_FIRST = 2;
const TRICKLE_STEPS = 40;
const TRICKLE_MS = 100;
/** Pulls of `flaky` that got as far as its layer. One begins with the manifest, whatever is asked again after that. */
let flakyPulls = 0;
let isBeginning = true;

/** Each has a layer of its own, so that none is there already when another was pulled. */
const NAMES = ['present', 'slow', 'flaky', 'broken', 'ours', 'held', 'twice', 'parent'];
const TAR_BLOCK_BYTES = 512;

type Image = ReadonlyMap<string, Blob>;
type Blob = { readonly mediaType: string; readonly bytes: Buffer };

async function serve(tarFile: string): Promise<void> {
  const tar = await readFile(tarFile);
  const images = new Map(
    NAMES.map((name, index) => [name, imageOf(Buffer.concat([tar, Buffer.alloc(index * TAR_BLOCK_BYTES)]))]),
  );
  const server = createServer((request, response) => answer(request, response, images));
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
  });
}

/** What is found of an image with this one layer, by the end of its URL. */
function imageOf(tar: Buffer): Image {
  // Not compressed: engines tell of a download every 512 KB.
  const layer = gzipSync(tar, { level: 0 });
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Cmd: ['/bin/sh'] },
      rootfs: { type: 'layers', diff_ids: [digest(tar)] },
      history: [{ created_by: 'test' }],
    }),
  );
  const part = (mediaType: string, bytes: Buffer) => ({ mediaType, size: bytes.length, digest: digest(bytes) });
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: part('application/vnd.docker.container.image.v1+json', config),
      layers: [part('application/vnd.docker.image.rootfs.diff.tar.gzip', layer)],
    }),
  );
  const blobs = [config, layer].map((blob): [string, Blob] => [
    `blobs/${digest(blob)}`,
    { mediaType: 'application/octet-stream', bytes: blob },
  ]);
  return new Map([
    ['manifests/1', { mediaType, bytes }],
    [`manifests/${digest(bytes)}`, { mediaType, bytes }],
    ...blobs,
  ]);
}

function answer(request: IncomingMessage, response: ServerResponse, images: ReadonlyMap<string, Image>): void {
  const { url = '', method, headers } = request;
  if (url === '/v2/') return void response.end('{}');
  const [, name = '', place = ''] = /^\/v2\/muster\/([a-z]+)\/(.*)$/.exec(url) ?? [];
  if (name === 'stalled') return;
  if (name === 'private') return refuse(response, 403, 'DENIED', 'requested access is denied');
  if (name === 'locked') {
    response.setHeader('WWW-Authenticate', 'Basic realm="registry"');
    return refuse(response, 401, 'UNAUTHORIZED', 'authentication required');
  }
  if (name === 'nowhere') return refuse(response, 404, 'NAME_UNKNOWN', 'repository name not known to registry');
  if (name === 'busy') return refuse(response, 429, 'TOOMANYREQUESTS', 'too many requests');
  if (name === 'ill') return refuse(response, 503, 'UNAVAILABLE', 'service unavailable');
  const blob = images.get(name)?.get(place);
  if (blob === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  response.setHeader('Content-Type', blob.mediaType);
  response.setHeader('Content-Length', blob.bytes.length);
  response.setHeader('Docker-Content-Digest', digest(blob.bytes));
  if (name === 'flaky' && place.startsWith('manifests/')) isBeginning = true;
  if (method === 'HEAD') return void response.end();
  if (blob.bytes.length < LEAST_LAYER_BYTES) return void response.end(blob.bytes);
  // Older engines ask for the rest at once. This registry cannot go on in the middle, which ends their pull.
  const isWhole = headers.range === undefined;
  if (name === 'broken' && isWhole) return breakOff(response, blob.bytes);
  if (name === 'flaky') {
    if (isBeginning) flakyPulls += 1;
    isBeginning = false;
    if (isWhole && flakyPulls <= SPOILT_AT_FIRST) return breakOff(response, blob.bytes);
  }
  if (name === 'slow') return void trickle(response, blob.bytes);
  response.end(blob.bytes);
}

/** Half of it, and then the connection is reset. */
function breakOff(response: ServerResponse, bytes: Buffer): void {
  response.write(bytes.subarray(0, bytes.length / 2), () => response.socket?.resetAndDestroy());
}

async function trickle(response: ServerResponse, bytes: Buffer): Promise<void> {
  const step = Math.ceil(bytes.length / TRICKLE_STEPS);
  for (let at = 0; at < bytes.length; at += step) {
    response.write(bytes.subarray(at, at + step));
    await pause(TRICKLE_MS);
  }
  response.end();
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json' })
    .end(JSON.stringify({ errors: [{ code, message }] }));
}

function digest(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

await serve(process.argv[2] ?? '');
