/** What was asked, with its key: sent again unchanged, it is the same request. */
export interface Ask<Body> {
  readonly body: Body;
  readonly key: string;
}

/** Keeps a request whose answer was lost, so that trying again never does a thing twice. */
export class Repeatable<Body> {
  #unanswered: (Ask<Body> & { readonly question: string }) | null = null;

  /** What to send for a question: the same as before while that has no answer, otherwise something newly made. */
  ask(question: string, make: () => Body): Ask<Body> {
    if (this.#unanswered?.question !== question) this.#unanswered = { question, body: make(), key: newKey() };
    return this.#unanswered;
  }

  /** The gateway has answered, yes or no: the next request is another. */
  answered(): void {
    this.#unanswered = null;
  }
}

/** Not `randomUUID`: browsers offer that on secure origins only, and this page may be reached by plain HTTP. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
