export interface StreamedEvent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** The server-sent events of an answer. Ends when the connection does, also when it breaks. */
export async function* streamedEvents({ body }: Response): AsyncGenerator<StreamedEvent> {
  if (body === null) return;
  let text = '';
  try {
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        const data = field('data');
        if (data !== undefined) yield { event: field('event') ?? 'message', id: field('id') ?? '', data };
      }
    }
  } catch (error) {
    // A broken connection is a TypeError of the stream; anything else is a defect.
    if (!(error instanceof TypeError)) throw error;
  }
}
