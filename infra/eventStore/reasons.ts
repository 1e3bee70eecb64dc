import { hostsOf, userOf } from './connectionString.ts';
import { StoreErrorCode, type StoreError } from './errors.ts';

/**
 * Why the store of a connection string cannot be used, and what to do about it: one sentence, without its full stop. `error`
 * is null while it is not known: then it does not answer.
 */
export function whyAway(url: string, error: StoreError | null): string {
  const store = `EventStoreDB at ${hostsOf(url)}`;
  const { code, message } = error ?? { code: StoreErrorCode.Away, message: '' };
  const words = inShort(message);
  switch (code) {
    case StoreErrorCode.Away:
    case StoreErrorCode.NotSent:
      return `${store} does not answer: see that it runs, that it can be reached from here, and that MUSTER_EVENT_LOG says how it does TLS`;
    case StoreErrorCode.NotLeader:
      return `${store} does not lead its cluster, and logs are written and read where it is led: name all its nodes in MUSTER_EVENT_LOG, or wait for the vote to end`;
    case StoreErrorCode.Denied:
      return `${store} does not let ${userShown(url)} in: mend user and password in MUSTER_EVENT_LOG, or that user's rights on the streams`;
    case StoreErrorCode.Tls:
      if (/wrong version number/.test(words)) {
        return `${store} does not speak TLS: give it a certificate, or say tls=false in MUSTER_EVENT_LOG where nobody else reaches it`;
      }
      return `TLS with ${store} fails (${words}): name the authority of its certificate in MUSTER_EVENT_LOG (tlsCAFile=…), or mend the certificate`;
    case StoreErrorCode.Malformed:
    case StoreErrorCode.WrongRevision:
    case StoreErrorCode.StreamDeleted:
    case StoreErrorCode.TooLarge:
    case StoreErrorCode.Refused:
      return `${store} cannot be used: ${words}`;
  }
}

/** The transport wraps what went wrong into what it tried, over several lines. */
export function inShort(message: string): string {
  const [, last = message] = /Last error: (?:Error: )?(.*?)(?:\. Resolution note.*)?$/s.exec(message) ?? [];
  return last.replaceAll(/\s+/g, ' ').trim().replace(/\.+$/, '').slice(0, LONGEST_WORDS);
}

const LONGEST_WORDS = 200;

function userShown(url: string): string {
  const user = userOf(url);
  return user === null ? 'somebody without a name' : `the user "${user}"`;
}
