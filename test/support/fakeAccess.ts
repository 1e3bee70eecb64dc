import type { FastifyInstance } from 'fastify';
import type {
  IssuedKey,
  IssuedToken,
  KeyBody,
  KeyRow,
  PasswordLink,
  PersonBody,
  PersonRow,
  TokenRow,
} from '../../ui/data/gateway.ts';
import { keyRow, personRow, tokenRow } from '../../ui/gallery/accessRows.ts';

const DAY_MS = 86_400_000;

/** People, keys and manager tokens of the fake gateway: rows that a spec changes as it likes, and what the page's requests make of them. */
export class FakeAccess {
  people: readonly PersonRow[] = [];
  keys: readonly KeyRow[] = [];
  tokens: readonly TokenRow[] = [];
  #made = 0;

  register(app: FastifyInstance): void {
    this.#peopleRoutes(app);
    this.#keyRoutes(app);
    this.#tokenRoutes(app);
  }

  #peopleRoutes(app: FastifyInstance): void {
    type Person = { Params: { id: string } };
    const changed = (id: string, change: Partial<PersonRow>): PersonRow | undefined => {
      this.people = this.people.map((row) => (row.personId === id ? { ...row, ...change } : row));
      return this.people.find(({ personId }) => personId === id);
    };
    app.get('/api/v1/people', () => ({ people: this.people, position: 'fleet:1' }));
    app.post<{ Body: PersonBody }>('/api/v1/people', (request, reply) => {
      const row = personRow({
        ...request.body,
        hasPassword: false,
        linkUntil: null,
        lockedUntil: null,
        browserSessions: 0,
        seenAt: null,
      });
      this.people = [...this.people, row];
      return reply.status(201).send(row);
    });
    app.patch<Person & { Body: Pick<PersonRow, 'role'> }>('/api/v1/people/:id', ({ params, body }) =>
      changed(params.id, { role: body.role }),
    );
    app.post<Person>('/api/v1/people/:id/sign-in-link', ({ params }, reply) => {
      const expiresAt = new Date(Date.now() + DAY_MS).toISOString();
      changed(params.id, { linkUntil: expiresAt });
      this.#made += 1;
      const url = `https://muster.example.org/#set-password=${params.id}.secret-${this.#made}`;
      const link: PasswordLink = { personId: params.id, url, expiresAt };
      return reply.status(201).send(link);
    });
    app.delete<Person>('/api/v1/people/:id/browser-sessions', ({ params }) => {
      const ended = this.people.find(({ personId }) => personId === params.id)?.browserSessions ?? 0;
      changed(params.id, { browserSessions: 0, seenAt: null });
      return { ended };
    });
    app.delete<Person>('/api/v1/people/:id', ({ params }, reply) => {
      this.people = this.people.filter(({ personId }) => personId !== params.id);
      return reply.status(204).send();
    });
  }

  #keyRoutes(app: FastifyInstance): void {
    app.get('/api/v1/keys', () => ({ keys: this.keys, position: 'fleet:1' }));
    app.post<{ Body: KeyBody }>('/api/v1/keys', (request, reply) => {
      this.#made += 1;
      const issuedAt = new Date().toISOString();
      const key = keyRow({ ...request.body, keyId: `made${this.#made}`, issuedAt, lastUsedAt: null });
      this.keys = [key, ...this.keys];
      const issued: IssuedKey = { key, secret: `mk_${key.keyId}_shown-once` };
      return reply.status(201).send(issued);
    });
    app.delete<{ Params: { id: string } }>('/api/v1/keys/:id', ({ params }, reply) => {
      this.keys = this.keys.filter(({ keyId }) => keyId !== params.id);
      return reply.status(204).send();
    });
  }

  #tokenRoutes(app: FastifyInstance): void {
    app.get('/api/v1/manager-tokens', () => ({ managerTokens: this.tokens, position: 'fleet:1' }));
    app.post('/api/v1/manager-tokens', (_request, reply) => {
      this.#made += 1;
      const issuedAt = new Date().toISOString();
      const managerToken = tokenRow({ tokenId: `made${this.#made}`, issuedAt, lastUsedAt: null });
      this.tokens = [managerToken, ...this.tokens];
      const issued: IssuedToken = { managerToken, text: `mt_${managerToken.tokenId}_shown-once` };
      return reply.status(201).send(issued);
    });
    app.delete<{ Params: { id: string } }>('/api/v1/manager-tokens/:id', ({ params }, reply) => {
      this.tokens = this.tokens.filter(({ tokenId }) => tokenId !== params.id);
      return reply.status(204).send();
    });
  }
}
