import type { OutputEnd, OutputEndCode } from '../../domain/output.ts';

/** Output of a session that cannot be read at all. The message says why, and what to do. */
export class OutputUnavailable extends Error {
  override readonly name = 'OutputUnavailable';
  readonly code: OutputEndCode;

  constructor({ code, sentence }: OutputEnd) {
    super(sentence);
    this.code = code;
  }
}

export function isOutputUnavailable(error: unknown): error is OutputUnavailable {
  return error instanceof OutputUnavailable;
}
