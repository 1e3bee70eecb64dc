import { nearestOf } from '../nearest.ts';

/**
 * What is wrong with a connection string of EventStoreDB, as the end of a sentence; null when nothing is. Says nothing of
 * what may be part of a password. Stricter than the client, which passes over what it does not know, and would go on with
 * a part of a password that it does not understand.
 */
export function connectionProblem(text: string): string | null {
  const scheme = /^esdb(?:\+discover)?:\/\//.exec(text)?.[0];
  if (scheme === undefined) return `must be \`nats\`, or like ${EXAMPLE}`;
  const { user, hosts, query } = partsOf(text);
  return (
    userProblem(user) ??
    hostsProblem(hosts, scheme === 'esdb+discover://') ??
    queryProblem(query) ??
    togetherProblem(user, query)
  );
}

/** `a:2113, b:2113` of a connection string that has no problem: where the store is, to show. */
export function hostsOf(url: string): string {
  return partsOf(url)
    .hosts.split(',')
    .map((host) => (host.includes(':') ? host : `${host}:${DEFAULT_PORT}`))
    .join(', ');
}

/** The user of a connection string that has no problem; null when it names none. */
export function userOf(url: string): string | null {
  const name = partsOf(url).user?.split(':')[0];
  return name === undefined ? null : decodeURIComponent(name);
}

const EXAMPLE = 'esdb://user:password@host:2113 or esdb+discover://user:password@name:2113';
const DEFAULT_PORT = 2113;

interface Parts {
  readonly user: string | undefined;
  readonly hosts: string;
  readonly query: string | undefined;
}

/** The user ends with the last @, so that nothing of a password is ever taken for a host or an option. */
function partsOf(text: string): Parts {
  const rest = text.slice(text.indexOf('://') + 3);
  const at = rest.lastIndexOf('@');
  const [where = '', ...options] = rest.slice(at + 1).split('?');
  return {
    user: at < 0 ? undefined : rest.slice(0, at),
    hosts: where.replace(/\/+$/, ''),
    query: options.length === 0 ? undefined : options.join('?'),
  };
}

function userProblem(user: string | undefined): string | null {
  if (user === undefined) return null;
  const isPlain = /^[^\s:@/?#]+:[^\s:@/?#]+$/.test(user) && isDecodable(user);
  if (isPlain) return null;
  return 'must have user:password before the @, with each of : @ / ? # and % in them written as %3A %40 %2F %3F %23 and %25';
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

function hostsProblem(text: string, isDiscovery: boolean): string | null {
  const hosts = text.split(',');
  if (hosts.length > 1 && isDiscovery) {
    return 'names several hosts behind esdb+discover://, which asks one name for all of them; name one, or use esdb://';
  }
  const isHost = (host: string): boolean => {
    const [, port = String(DEFAULT_PORT)] = /^[A-Za-z0-9._-]+(?::(\d{1,5}))?$/.exec(host) ?? [null, '0'];
    return Number(port) >= 1 && Number(port) <= 65_535;
  };
  return hosts.every(isHost) ? null : `must name a host with a port from 1 to 65535, like ${EXAMPLE}`;
}

type OptionCheck = (value: string) => string | null;

const isNumber: OptionCheck = (value) => (/^[1-9]\d{0,8}$/.test(value) ? null : 'must be a whole number from 1');
const isMs: OptionCheck = (value) => (value === '-1' ? null : isNumber(value) && 'must be milliseconds from 1, or -1');
const isFile: OptionCheck = (value) =>
  isDecodable(value) ? null : 'must be the path of a file, with % written as %25';
const isSwitch: OptionCheck = (value) => (value === 'true' || value === 'false' ? null : 'must be true or false');
const only =
  (allowed: string, why: string): OptionCheck =>
  (value) =>
    value.toLowerCase() === allowed ? null : why;

/** What the client understands, and may be set here. Its names are read without regard to case, - and _, as it does. */
const OPTIONS: Readonly<Record<string, OptionCheck>> = {
  tls: isSwitch,
  tlsCAFile: isFile,
  userCertFile: isFile,
  userKeyFile: isFile,
  tlsVerifyCert: only('true', 'has no effect in the client: name the authority in tlsCAFile instead of not verifying'),
  nodePreference: only('leader', 'must be leader: whoever writes a log has to read what was written last'),
  throwOnAppendFailure: only('true', 'must be true: without it a refused write would count as written'),
  connectionName: () => 'is given by Muster itself; leave it out',
  maxDiscoverAttempts: isNumber,
  discoveryInterval: isNumber,
  gossipTimeout: isNumber,
  defaultDeadline: isNumber,
  keepAliveInterval: isMs,
  keepAliveTimeout: isMs,
};
const KNOWN = Object.keys(OPTIONS);

function flat(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}

interface Option {
  /** As the client calls it, or as it is written when nobody knows it. */
  readonly name: string;
  readonly value: string;
}

function optionsOf(query: string | undefined): readonly Option[] {
  if (query === undefined) return [];
  return query.split('&').map((pair) => {
    const [written = '', ...values] = pair.split('=');
    const name = KNOWN.find((known) => flat(known) === flat(written)) ?? written;
    return { name, value: values.join('=') };
  });
}

function queryProblem(query: string | undefined): string | null {
  const options = optionsOf(query);
  const names = options.map(({ name }) => name);
  for (const [index, { name, value }] of options.entries()) {
    // What is no option may be a part of a password that somebody forgot to encode.
    if (value === '' || !/^[A-Za-z_-]{1,40}$/.test(name)) return 'must have options like ?tls=true&tlsCAFile=/path';
    const check = OPTIONS[name];
    if (check === undefined) return `has the option ${name}, which does not exist${hint(name)}`;
    if (names.indexOf(name) !== index) return `has the option ${name} twice`;
    const problem = check(value);
    if (problem !== null) return `has the option ${name}, which ${problem}`;
  }
  return null;
}

function hint(name: string): string {
  const nearest = nearestOf(name, KNOWN);
  return nearest === undefined ? `; there are ${KNOWN.join(', ')}` : `; did you mean ${nearest}?`;
}

function togetherProblem(user: string | undefined, query: string | undefined): string | null {
  const options = new Map(optionsOf(query).map(({ name, value }) => [name, value]));
  const isPlain = options.get('tls') === 'false';
  if (isPlain && user !== undefined) {
    return 'has a user and tls=false: without TLS the client sends no password, so leave the user out or use TLS';
  }
  const files = ['tlsCAFile', 'userCertFile', 'userKeyFile'].filter((name) => options.has(name));
  if (isPlain && files.length > 0) return `has ${files.join(' and ')} and tls=false: certificates need TLS`;
  if (options.has('userCertFile') !== options.has('userKeyFile')) {
    return 'must have userCertFile and userKeyFile together or neither';
  }
  return null;
}
