import { listLogs, whyNotReady, type LogsAnswer } from './gateway.ts';
import { isRefusal } from './problem.ts';

/** What is in the way of deciding anything, and who would write each log, in sentences. */
export interface NotReady {
  readonly why: string;
  readonly logs: readonly string[];
}

/** Null: the gateway is ready. Throws GatewayUnreachable. */
export async function askReadiness(): Promise<NotReady | null> {
  const why = await whyNotReady();
  return why === null ? null : { why, logs: await leaders() };
}

async function leaders(): Promise<readonly string[]> {
  try {
    return leaderSentences(await listLogs());
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return [];
  }
}

/** `Log zone-default is written by gateway-1, which is this one.` */
export function leaderSentences({ gatewayId, logs }: LogsAnswer): readonly string[] {
  return logs.map(({ log, leader, readOnly }) => {
    const who =
      leader === null
        ? 'by nobody just now'
        : `by ${leader}${leader === gatewayId ? ', which answers here' : `, while ${gatewayId} answers here`}`;
    return `Log ${log} is written ${who}.${readOnly === null ? '' : ` This gateway only shows it: ${readOnly}.`}`;
  });
}
