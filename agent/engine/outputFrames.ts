import type { OutputLine } from '../../domain/output.ts';
import { EngineError, EngineErrorCode } from './errors.ts';

const HEAD_BYTES = 8;
/** The engine cuts lines at 16 KiB; what claims to be far longer is no frame of output. */
const MOST_FRAME_BYTES = 256 * 1024;

/**
 * Puts the engine's frames together, however they are cut. A frame is a head of 8 bytes (the first tells from where, the last 4
 * the length) and one piece of a line: its time, a space, its text, and a line feed unless the line goes on.
 */
export class OutputFrames {
  #rest: Buffer = Buffer.alloc(0);
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  /** The pieces that are whole now. Throws ENGINE_REFUSED when it is something else than frames. */
  push(chunk: Buffer): readonly OutputLine[] {
    const all = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: OutputLine[] = [];
    let at = 0;
    while (all.length - at >= HEAD_BYTES) {
      const length = all.readUInt32BE(at + 4);
      const kind = all[at];
      if ((kind !== 1 && kind !== 2) || length > MOST_FRAME_BYTES) {
        throw new EngineError(EngineErrorCode.refused, 'What the container engine sent is no output of a container.');
      }
      const end = at + HEAD_BYTES + length;
      if (all.length < end) break;
      lines.push(this.#line(kind === 1 ? 'stdout' : 'stderr', all.subarray(at + HEAD_BYTES, end)));
      at = end;
    }
    this.#rest = all.subarray(at);
    return lines;
  }

  #line(from: OutputLine['from'], frame: Buffer): OutputLine {
    const space = frame.indexOf(' ');
    const at = space < 0 ? '' : frame.toString('latin1', 0, space);
    const hasTime = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(at);
    const goesOn = frame.at(-1) !== 0x0a;
    const text = frame.subarray(hasTime ? space + 1 : 0, goesOn ? frame.length : -1);
    // A character may be cut where the line is.
    return { at: hasTime ? at : null, from, text: this.#decoders[from].decode(text, { stream: goesOn }), goesOn };
  }
}
