import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { AppendReq, AppendResp, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { handlerFailed, requiredMetadataPropertyMissing } from './errors.ts';
import { ANY, NO_STREAM, numberToWire, STREAM_EXISTS } from './numbers.ts';
import type { NumberedEvent, ProposedEvent } from './streams.ts';

/** Between the messages of the protocol and what the store deals in. */

const JSON_CONTENT = 'application/json';
const OTHER_CONTENT = 'application/octet-stream';
const TICKS_PER_MS = 10_000n;
const NIL = '00000000-0000-0000-0000-000000000000';
const UUID_PATTERN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function streamName(identifier: StreamIdentifier | undefined): string {
  const name = Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');
  if (name === '') throw handlerFailed();
  return name;
}

export function streamIdentifier(name: string): StreamIdentifier {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(name));
}

/** In lower case with hyphens, whichever of the two forms the client chose. */
export function uuidOf(uuid: UUID | undefined): string {
  const structured = uuid?.getStructured();
  const id = structured === undefined ? (uuid?.getString() ?? '').toLowerCase() : textOf(structured);
  if (!UUID_PATTERN.test(id)) throw handlerFailed();
  return id;
}

function textOf(structured: UUID.Structured): string {
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64BE(BigInt(structured.getMostSignificantBits()), 0);
  bytes.writeBigInt64BE(BigInt(structured.getLeastSignificantBits()), 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export function uuid(id: string, isStructured = false): UUID {
  const message = new shared.UUID();
  if (!isStructured) return setString(message, id);
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  const structured = new shared.UUID.Structured();
  structured.setMostSignificantBits(String(bytes.readBigInt64BE(0)));
  structured.setLeastSignificantBits(String(bytes.readBigInt64BE(8)));
  message.setStructured(structured);
  return message;
}

function setString(message: UUID, id: string): UUID {
  message.setString(id);
  return message;
}

interface ExpectedRevision {
  hasAny(): boolean;
  hasNoStream(): boolean;
  hasStreamExists(): boolean;
}

/** Throws what EventStoreDB says when the client expects nothing at all. `revision` null: none is named. */
export function expectedOf(options: ExpectedRevision, revision: string | null): number {
  if (options.hasAny()) return ANY;
  if (options.hasNoStream()) return NO_STREAM;
  if (options.hasStreamExists()) return STREAM_EXISTS;
  if (revision === null) throw handlerFailed();
  return revisionOf(revision);
}

/** The maximum of 64 bits without a sign, which is how clients write "none", is -1. */
export function revisionOf(revision: string): number {
  const value = BigInt(revision);
  if (value === 0xffff_ffff_ffff_ffffn) return NO_STREAM;
  if (value > 0x7fff_ffff_ffff_ffffn) throw handlerFailed();
  return Number(value);
}

/** Of Append and of BatchAppend, whose messages are alike. */
export function proposedEvent(message: AppendReq.ProposedMessage): ProposedEvent {
  const properties = message.getMetadataMap();
  const type = properties.get('type');
  if (type === undefined) throw requiredMetadataPropertyMissing('type');
  const contentType = properties.get('content-type');
  if (contentType === undefined) throw requiredMetadataPropertyMissing('content-type');
  const id = uuidOf(message.getId());
  if (id === NIL || type === '') throw handlerFailed();
  const data = message.getData_asU8();
  return { id, type, isJson: contentType === JSON_CONTENT, data, metadata: message.getCustomMetadata_asU8() };
}

/** As EventStoreDB counts towards its limit on an append (Event.SizeOnDisk): a type counts two bytes a character. */
export function sizeOf(event: ProposedEvent): number {
  return event.data.length + event.metadata.length + event.type.length * 2;
}

export function readEvent(numbered: NumberedEvent, hasStructuredIds: boolean): ReadResp {
  const { event, number, stream } = numbered;
  const position = String(event.position);
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  recorded.setId(uuid(event.id, hasStructuredIds));
  recorded.setStreamIdentifier(streamIdentifier(stream));
  recorded.setStreamRevision(numberToWire(number));
  recorded.setCommitPosition(position);
  recorded.setPreparePosition(position);
  recorded.setData(event.data);
  recorded.setCustomMetadata(event.metadata);
  const properties = recorded.getMetadataMap();
  properties.set('type', event.type);
  properties.set('created', String(BigInt(Math.floor(event.createdMs)) * TICKS_PER_MS));
  properties.set('content-type', event.isJson ? JSON_CONTENT : OTHER_CONTENT);
  const message = new streams.ReadResp.ReadEvent();
  message.setEvent(recorded);
  message.setCommitPosition(position);
  const response = new streams.ReadResp();
  response.setEvent(message);
  return response;
}

export function confirmation(subscriptionId: string): ReadResp {
  const message = new streams.ReadResp.SubscriptionConfirmation();
  message.setSubscriptionId(subscriptionId);
  const response = new streams.ReadResp();
  response.setConfirmation(message);
  return response;
}

export function caughtUp(): ReadResp {
  const response = new streams.ReadResp();
  response.setCaughtUp(new streams.ReadResp.CaughtUp());
  return response;
}

export function streamNotFound(name: string): ReadResp {
  const message = new streams.ReadResp.StreamNotFound();
  message.setStreamIdentifier(streamIdentifier(name));
  const response = new streams.ReadResp();
  response.setStreamNotFound(message);
  return response;
}

export function appended(last: number, position: number | null): AppendResp {
  const success = new streams.AppendResp.Success();
  if (last === NO_STREAM) success.setNoStream(new shared.Empty());
  else success.setCurrentRevision(numberToWire(last));
  if (position === null) {
    success.setNoPosition(new shared.Empty());
  } else {
    const place = new streams.AppendResp.Position();
    place.setCommitPosition(String(position));
    place.setPreparePosition(String(position));
    success.setPosition(place);
  }
  const response = new streams.AppendResp();
  response.setSuccess(success);
  return response;
}

export function appendedWrong(expected: number, current: number): AppendResp {
  const wrong = new streams.AppendResp.WrongExpectedVersion();
  if (expected === ANY) wrong.setExpectedAny(new shared.Empty());
  else if (expected === STREAM_EXISTS) wrong.setExpectedStreamExists(new shared.Empty());
  else if (expected === NO_STREAM) wrong.setExpectedNoStream(new shared.Empty());
  else wrong.setExpectedRevision(String(expected));
  if (current === NO_STREAM) wrong.setCurrentNoStream(new shared.Empty());
  else wrong.setCurrentRevision(String(current));
  const response = new streams.AppendResp();
  response.setWrongExpectedVersion(wrong);
  return response;
}
