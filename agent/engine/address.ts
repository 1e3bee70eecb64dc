import { EngineError, EngineErrorCode } from './errors.ts';

export type EngineAddress =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** Reads DOCKER_HOST. An agent works with the engine of its own host, so a socket is usual and SSH makes no sense. */
export function parseDockerHost(text: string): EngineAddress {
  if (text.startsWith('unix://')) {
    const socketPath = text.slice('unix://'.length);
    if (socketPath.startsWith('/')) return { kind: 'unix', socketPath };
  }
  if (text.startsWith('tcp://') && URL.canParse(text)) {
    const { hostname, port, pathname, username, password } = new URL(text);
    const plain = (pathname === '' || pathname === '/') && username === '' && password === '';
    if (plain && hostname !== '' && port !== '')
      return { kind: 'tcp', host: withoutBrackets(hostname), port: Number(port) };
  }
  throw new EngineError(
    EngineErrorCode.addressUnsupported,
    `DOCKER_HOST ${JSON.stringify(text)} is not supported. Use unix:///path/to/docker.sock or tcp://address:port (without TLS).`,
  );
}

function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
