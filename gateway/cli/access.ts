import { openClient } from './client.ts';
import { print, printJson, type JsonOption } from './output.ts';

/** A new sign-in link for a browser. */
export async function printSignInLink({ json }: JsonOption): Promise<void> {
  const client = await openClient();
  const link = await client.call<{ readonly url: string; readonly expiresAt: string }>('/sign-in-links', {
    method: 'POST',
  });
  if (json === true) return printJson(link);
  print(`${link.url}\nIt works once, until ${link.expiresAt}.`);
}
