import { accessDenied, unauthenticated } from './errors.ts';
import { describedBy } from './streams.ts';
import type { StreamAcl, StreamMetadata } from './streamMetadata.ts';

export interface User {
  readonly name: string;
  readonly password: string;
  /** `$admins` may do everything. */
  readonly groups: readonly string[];
}

export type StreamAction = 'read' | 'write' | 'delete';

const ADMINS = '$admins';
const OPERATORS = '$ops';
const EVERYBODY = '$all';

/**
 * Who may do what, after EventStoreDB's default policy: wrong credentials are refused before anything else, a caller
 * without any may read gossip and features only, streams go by their `$acl`. Without users, as on a node that was started
 * as insecure, everybody may do everything.
 */
export class Access {
  readonly #users: readonly User[];

  constructor(users: readonly User[]) {
    this.#users = users;
  }

  /** The caller by the header `authorization`; null: nobody. Throws for credentials that are wrong. */
  authenticate(header: string | undefined): User | null {
    if (this.#users.length === 0 || header === undefined) return null;
    const [scheme, encoded = ''] = header.split(' ');
    const [name = '', ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
    const user = this.#users.find((one) => one.name === name && one.password === password.join(':'));
    if (scheme !== 'Basic' || user === undefined) throw unauthenticated();
    return user;
  }

  requireStream(
    user: User | null,
    action: StreamAction,
    stream: string,
    metadataOf: (name: string) => StreamMetadata,
  ): void {
    if (this.#users.length === 0 || user?.groups.includes(ADMINS) === true) return;
    const described = describedBy(stream);
    if (user === null || (described !== null && action === 'delete')) throw accessDenied();
    const name = described ?? stream;
    const roles = rolesFor(action, described !== null, metadataOf(name).acl) ?? [
      name.startsWith('$') ? ADMINS : EVERYBODY,
    ];
    const isAllowed = roles.some((role) => role === EVERYBODY || role === user.name || user.groups.includes(role));
    if (!isAllowed) throw accessDenied();
  }

  requireUser(user: User | null): void {
    if (this.#users.length > 0 && user === null) throw accessDenied();
  }

  requireOperator(user: User | null): void {
    if (this.#users.length === 0) return;
    if (user?.groups.some((group) => group === ADMINS || group === OPERATORS) !== true) throw accessDenied();
  }
}

function rolesFor(
  action: StreamAction,
  isMetadata: boolean,
  acl: StreamAcl | undefined,
): readonly string[] | undefined {
  switch (action) {
    case 'read':
      return isMetadata ? acl?.metaRead : acl?.read;
    case 'write':
      return isMetadata ? acl?.metaWrite : acl?.write;
    case 'delete':
      return acl?.delete;
  }
}
