import { crc32 } from 'node:zlib';
import { DELETED } from './numbers.ts';
import type { ProposedEvent, Write } from './streams.ts';

/** One append as the file has it: length, checksum, then the time and every write of it. All or nothing. */
export interface Entry {
  readonly createdMs: number;
  readonly writes: readonly Write[];
}

const HEADER_BYTES = 8;
const ENTRY_BYTES = 8 + 2;
const WRITE_BYTES = 2 + 8 + 4;
const EVENT_BYTES = 16 + 1 + 2 + 4 + 4;
const TOMBSTONE_ON_DISK = 2 ** 52;

export function encodeEntry(entry: Entry): Buffer {
  const buffer = Buffer.allocUnsafe(sizeOf(entry));
  let at = buffer.writeDoubleLE(entry.createdMs, HEADER_BYTES);
  at = buffer.writeUInt16LE(entry.writes.length, at);
  for (const write of entry.writes) {
    at = buffer.writeUInt16LE(Buffer.byteLength(write.stream), at);
    at += buffer.write(write.stream, at);
    at = buffer.writeDoubleLE(write.first === DELETED ? TOMBSTONE_ON_DISK : write.first, at);
    at = buffer.writeUInt32LE(write.events.length, at);
    for (const event of write.events) at = writeEvent(buffer, at, event);
  }
  buffer.writeUInt32LE(buffer.length - HEADER_BYTES, 0);
  buffer.writeUInt32LE(crc32(buffer.subarray(HEADER_BYTES)), 4);
  return buffer;
}

function sizeOf(entry: Entry): number {
  let bytes = HEADER_BYTES + ENTRY_BYTES;
  for (const write of entry.writes) {
    bytes += WRITE_BYTES + Buffer.byteLength(write.stream);
    for (const event of write.events) {
      bytes += EVENT_BYTES + Buffer.byteLength(event.type) + event.data.length + event.metadata.length;
    }
  }
  return bytes;
}

function writeEvent(buffer: Buffer, start: number, event: ProposedEvent): number {
  let at = start + buffer.write(event.id.replaceAll('-', ''), start, 'hex');
  at = buffer.writeUInt8(event.isJson ? 1 : 0, at);
  at = buffer.writeUInt16LE(Buffer.byteLength(event.type), at);
  at += buffer.write(event.type, at);
  for (const bytes of [event.data, event.metadata]) {
    at = buffer.writeUInt32LE(bytes.length, at);
    buffer.set(bytes, at);
    at += bytes.length;
  }
  return at;
}

/**
 * The entry that begins at `offset`, or null when the file ends within it: a write that the process did not live to
 * finish, which nobody was told of. Throws when the file is damaged before its end.
 */
export function decodeEntry(file: Buffer, offset: number): { readonly entry: Entry; readonly end: number } | null {
  if (offset + HEADER_BYTES > file.length) return null;
  const start = offset + HEADER_BYTES;
  const end = start + file.readUInt32LE(offset);
  if (end > file.length) return null;
  const payload = file.subarray(start, end);
  if (crc32(payload) !== file.readUInt32LE(offset + 4)) {
    if (end === file.length) return null;
    throw new Error(`the file is damaged at byte ${offset} of ${file.length}`);
  }
  return { entry: decodePayload(payload), end };
}

function decodePayload(payload: Buffer): Entry {
  const createdMs = payload.readDoubleLE(0);
  let at = ENTRY_BYTES;
  const writes: Write[] = [];
  for (let left = payload.readUInt16LE(8); left > 0; left -= 1) {
    const nameBytes = payload.readUInt16LE(at);
    const stream = payload.toString('utf8', at + 2, at + 2 + nameBytes);
    at += 2 + nameBytes;
    const first = payload.readDoubleLE(at);
    const count = payload.readUInt32LE(at + 8);
    at += 12;
    const events: ProposedEvent[] = [];
    for (let index = 0; index < count; index += 1) {
      const { event, end } = readEvent(payload, at);
      events.push(event);
      at = end;
    }
    writes.push({ stream, first: first === TOMBSTONE_ON_DISK ? DELETED : first, events });
  }
  return { createdMs, writes };
}

function readEvent(payload: Buffer, start: number): { readonly event: ProposedEvent; readonly end: number } {
  const hex = payload.toString('hex', start, start + 16);
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  const isJson = payload.readUInt8(start + 16) === 1;
  const typeEnd = start + 19 + payload.readUInt16LE(start + 17);
  const type = payload.toString('utf8', start + 19, typeEnd);
  const dataEnd = typeEnd + 4 + payload.readUInt32LE(typeEnd);
  const end = dataEnd + 4 + payload.readUInt32LE(dataEnd);
  const data = payload.subarray(typeEnd + 4, dataEnd);
  return { event: { id, type, isJson, data, metadata: payload.subarray(dataEnd + 4, end) }, end };
}
