import pino, { type Logger } from 'pino';
import type { Config } from '../infra/config/config.ts';

/** One line each: for people on a terminal, as JSON for programs. Secrets do not reach it; these paths make sure. */
export async function gatewayLog(level: Config['logLevel']): Promise<Logger> {
  const options = {
    name: 'gateway',
    level,
    redact: ['req.headers.authorization', 'req.headers.cookie', 'headers.authorization', 'headers.cookie'],
  };
  if (!process.stdout.isTTY) return pino(options);
  const { default: pretty } = await import('pino-pretty');
  return pino(options, pretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss', singleLine: true }));
}
