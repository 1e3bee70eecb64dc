import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

/** The program that `startRegistry` runs: its argument is the tar file that becomes the image's only layer. */
type Blob = { readonly mediaType: string; readonly bytes: Buffer };

async function serve(tarFile: string): Promise<void> {
  const tar = await readFile(tarFile);
  const layer = gzipSync(tar, { level: 1 });
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
  const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: part('application/vnd.docker.container.image.v1+json', config),
      layers: [part('application/vnd.docker.image.rootfs.diff.tar.gzip', layer)],
    }),
  );
  const found = new Map<string, Blob>([['manifests/1', { mediaType: manifestType, bytes: manifest }]]);
  found.set(`manifests/${digest(manifest)}`, { mediaType: manifestType, bytes: manifest });
  for (const bytes of [config, layer]) {
    found.set(`blobs/${digest(bytes)}`, { mediaType: 'application/octet-stream', bytes });
  }
  const server = createServer((request, response) =>
    answer(request.url ?? '', request.method === 'HEAD', response, found),
  );
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
  });
}

function answer(url: string, headOnly: boolean, response: ServerResponse, found: ReadonlyMap<string, Blob>): void {
  if (url === '/v2/') return void response.end('{}');
  if (url.startsWith('/v2/muster/stalled/')) return;
  if (url.startsWith('/v2/muster/private/')) return refuse(response, 403, 'DENIED', 'requested access is denied');
  const blob = url.startsWith('/v2/muster/present/') ? found.get(url.slice('/v2/muster/present/'.length)) : undefined;
  if (blob === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  response.setHeader('Content-Type', blob.mediaType);
  response.setHeader('Content-Length', blob.bytes.length);
  response.setHeader('Docker-Content-Digest', digest(blob.bytes));
  response.end(headOnly ? undefined : blob.bytes);
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
