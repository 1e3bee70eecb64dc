import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** So long requests have that are under way when the gateway stops. */
const GRACE_MS = 5_000;

/**
 * Lets no connection hold up a stop. Idle ones fastify closes itself; but one on which nothing was asked yet, as browsers open them
 * ahead of time, counts as busy in Node for a minute, and so does whoever reads an answer slowly.
 */
export function endConnections(app: FastifyInstance, isOverTls: boolean): void {
  const silent = new Set<Socket>();
  const { server } = app;
  server.on(isOverTls ? 'secureConnection' : 'connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage) => silent.delete(socket));
  app.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy();
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
  });
}
