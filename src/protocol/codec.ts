/**
 * Frames to bytes and back: a u32 big-endian length, then MessagePack with plain maps (no records, no extensions).
 *
 * Promises: nothing larger than the limit is buffered; what `FrameReader` yields has the shape of an envelope, is
 * nested at most NESTING_MAX deep, and was decoded without running code that came over the wire.
 * Bytes arrive as plain Uint8Arrays that are views of what was received: copy those that are kept for long.
 * Not carried exactly: -0 arrives as 0, `undefined` in a map is left out, a key `__proto__` arrives as `__proto_`,
 * and a string of more than 64 bytes loses a byte order mark at its start.
 */

// This entry point is plain JavaScript: the package's main one looks for a native part, which takes 9 ms.
import { Packr, RESERVE_START_SPACE } from "msgpackr/pack";
import { FRAME_ANSWER, FRAME_BYTES_MAX, FRAME_CALL, FRAME_NOTIFY, NESTING_MAX } from "./envelope.ts";
import { RpcError } from "./errors.ts";

/** An answer's error as received: its code may be one that this version does not know. */
export interface AnswerError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

type CallEnvelope = readonly [type: typeof FRAME_CALL, id: number, method: string, params: unknown];
type AnswerEnvelope = readonly [type: typeof FRAME_ANSWER, id: number, error: AnswerError | null, result: unknown];
export type NotifyEnvelope = readonly [type: typeof FRAME_NOTIFY, method: string, params: unknown];
export type Envelope = CallEnvelope | AnswerEnvelope | NotifyEnvelope;

/** One received frame. */
export interface Frame {
  readonly envelope: Envelope;
  /** Its length on the wire, prefix included: what stream windows count. */
  readonly bytes: number;
}

const PREFIX_BYTES = 4;

/** An encoder's buffer larger than this is given back, so that one large script does not stay in memory for ever. */
const ENCODER_BYTES_KEPT = 1024 * 1024;

const ENCODER_BYTES = 8192;

/** Values in a frame. Many times the largest listing; without it 16 MiB of empty maps would become a gigabyte. */
const VALUES_MAX = 4 * 1024 * 1024;

// Not in place below: `skipValues` is documented by the package but missing in its types.
const PACKR_OPTIONS = {
  useRecords: false,
  // Without it a map holds at most 65,535 keys.
  variableMapSize: true,
  useToJSON: false,
  int64AsType: "number" as const,
  encodeUndefinedAsNil: true,
  skipValues: [undefined],
};

const packr = new Packr(PACKR_OPTIONS);

/**
 * The frame of a value, length prefix included.
 * @throws RpcError TOO_LARGE above FRAME_BYTES_MAX
 */
export function encodeFrame(value: unknown): Uint8Array {
  const frame = packr.pack(value, RESERVE_START_SPACE | PREFIX_BYTES);
  if (frame.buffer.byteLength > ENCODER_BYTES_KEPT) packr.useBuffer(Buffer.allocUnsafeSlow(ENCODER_BYTES));
  if (frame.length > FRAME_BYTES_MAX) {
    throw new RpcError("TOO_LARGE", `a message of ${frame.length} bytes exceeds the limit of ${FRAME_BYTES_MAX}`);
  }
  writeUint32(frame, frame.length - PREFIX_BYTES);
  return frame;
}

/** Cuts a stream of bytes into frames. After it threw, the connection is of no more use. */
export class FrameReader {
  /** Largest frame accepted, prefix included; a change holds from the next frame on. */
  bytesMax: number;
  /** The start of a frame whose rest has not arrived; its first `held` bytes are in use. */
  private partial = new Uint8Array(0);
  private held = 0;
  private readonly decoder: Decoder | null;

  /** @param decoder of bodies that it knows better how to read */
  constructor(bytesMax: number, decoder: Decoder | null = null) {
    this.bytesMax = bytesMax;
    this.decoder = decoder;
  }

  /**
   * The frames that `chunk` completes, each decoded when it is asked for. Take all of them, or stop for good.
   * @throws RpcError TOO_LARGE, MALFORMED
   */
  *push(received: Uint8Array): Generator<Frame, void, undefined> {
    const chunk = plainBytes(received);
    let at = 0;
    if (this.held > 0) {
      at = this.topUp(chunk);
      if (this.held < PREFIX_BYTES || this.held < this.frameBytesAt(this.partial, 0)) return;
      // Decoded bytes are views of this buffer, so the next partial frame gets a new one.
      const whole = this.partial.subarray(0, this.held);
      this.partial = new Uint8Array(0);
      this.held = 0;
      yield decodeFrame(whole, this.decoder);
    }
    while (chunk.length - at >= PREFIX_BYTES) {
      const end = at + this.frameBytesAt(chunk, at);
      if (end > chunk.length) break;
      const whole = chunk.subarray(at, end);
      at = end;
      yield decodeFrame(whole, this.decoder);
    }
    if (at < chunk.length) this.hold(chunk.subarray(at));
  }

  /** Moves what the partial frame lacks from the chunk, and returns how much that was. */
  private topUp(chunk: Uint8Array): number {
    let taken = 0;
    if (this.held < PREFIX_BYTES) {
      const prefix = chunk.subarray(0, PREFIX_BYTES - this.held);
      this.hold(prefix);
      taken = prefix.length;
      if (this.held < PREFIX_BYTES) return taken;
    }
    const rest = chunk.subarray(taken, taken + this.frameBytesAt(this.partial, 0) - this.held);
    this.hold(rest);
    return taken + rest.length;
  }

  /** Appends to the partial frame. Its buffer doubles, so that a frame in many small chunks costs linear time. */
  private hold(bytes: Uint8Array): void {
    const needed = this.held + bytes.length;
    if (needed > this.partial.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(this.partial.length * 2, this.bytesMax)));
      grown.set(this.partial.subarray(0, this.held));
      this.partial = grown;
    }
    this.partial.set(bytes, this.held);
    this.held = needed;
  }

  private frameBytesAt(bytes: Uint8Array, at: number): number {
    const frameBytes = readUint32(bytes, at) + PREFIX_BYTES;
    if (frameBytes > this.bytesMax) {
      throw new RpcError("TOO_LARGE", `a frame of ${frameBytes} bytes exceeds the limit of ${this.bytesMax}`);
    }
    return frameBytes;
  }
}

function decodeFrame(whole: Uint8Array, decoder: Decoder | null): Frame {
  const body = whole.subarray(PREFIX_BYTES);
  checkStructure(body);
  let value: unknown;
  try {
    value = decoder?.(body, READING) ?? packr.unpack(body);
  } catch (error) {
    throw new RpcError("MALFORMED", `not MessagePack: ${error instanceof Error ? error.message : "unreadable"}`);
  }
  if (!isEnvelope(value)) throw new RpcError("MALFORMED", "neither a call, an answer nor a notification");
  return { envelope: value, bytes: whole.length };
}

/** How a body is read: a whole value, and where the value that begins somewhere ends. */
export interface Reading {
  decode(bytes: Uint8Array): unknown;
  skip(body: Uint8Array, at: number): number;
}

/** Reads a well-formed body; `null` for one that is to be read as ever. */
export type Decoder = (body: Uint8Array, reading: Reading) => unknown;

const READING: Reading = { decode: (bytes) => packr.unpack(bytes), skip: skipValue };

function isEnvelope(value: unknown): value is Envelope {
  if (!Array.isArray(value)) return false;
  if (value[0] === FRAME_NOTIFY) return value.length === 3 && typeof value[1] === "string";
  if (value.length !== 4 || !Number.isSafeInteger(value[1]) || value[1] < 1) return false;
  if (value[0] === FRAME_CALL) return typeof value[2] === "string";
  return value[0] === FRAME_ANSWER && (value[2] === null || isAnswerError(value[2]));
}

function isAnswerError(error: unknown): error is AnswerError {
  if (typeof error !== "object" || error === null) return false;
  const { code, message, hint } = error as Record<string, unknown>;
  return typeof code === "string" && typeof message === "string" && (hint === undefined || typeof hint === "string");
}

/** What follows a token of MessagePack, after the bytes that hold its length. */
const FIXED = 0;
const BYTES = 1;
const ARRAY = 2;
const MAP = 3;
const FORBIDDEN = 4;

/** By token: what follows, and in `LENGTH_BYTES` how many bytes hold its length (for FIXED: the value itself). */
const FOLLOWS = new Uint8Array(256).fill(FORBIDDEN);
const LENGTH_BYTES = new Uint8Array(256);

defineTokens(0x00, 0x7f, FIXED);
defineTokens(0x80, 0x8f, MAP);
defineTokens(0x90, 0x9f, ARRAY);
defineTokens(0xa0, 0xbf, BYTES);
defineTokens(0xc0, 0xc0, FIXED);
defineTokens(0xc2, 0xc3, FIXED);
defineTokens(0xc4, 0xc6, BYTES, 1, 2, 4);
defineTokens(0xca, 0xcb, FIXED, 4, 8);
defineTokens(0xcc, 0xcf, FIXED, 1, 2, 4, 8);
defineTokens(0xd0, 0xd3, FIXED, 1, 2, 4, 8);
defineTokens(0xd9, 0xdb, BYTES, 1, 2, 4);
defineTokens(0xdc, 0xdd, ARRAY, 2, 4);
defineTokens(0xde, 0xdf, MAP, 2, 4);
defineTokens(0xe0, 0xff, FIXED);

function defineTokens(first: number, last: number, follows: number, ...lengthBytes: readonly number[]): void {
  for (let token = first; token <= last; token++) {
    FOLLOWS[token] = follows;
    LENGTH_BYTES[token] = lengthBytes[token - first] ?? 0;
  }
}

/** Values still to come at each depth. Used by one synchronous walk at a time. */
const pending = new Uint32Array(NESTING_MAX + 1);

/**
 * Walks a body without decoding it. msgpackr alone would recurse as deep as a sender likes, and it understands
 * extensions whose content becomes code, dates or references; here they are forbidden.
 */
function checkStructure(body: Uint8Array): void {
  let at = 0;
  let depth = 0;
  let values = 0;
  pending[0] = 1;
  while (depth >= 0) {
    const left = pending[depth] as number;
    if (left === 0) {
      depth--;
      continue;
    }
    pending[depth] = left - 1;
    if (at >= body.length) throw new RpcError("MALFORMED", "a frame ends within a value");
    const token = body[at++] as number;
    const follows = FOLLOWS[token] as number;
    const lengthBytes = LENGTH_BYTES[token] as number;
    if (follows === FORBIDDEN) throw new RpcError("MALFORMED", `extension or unknown type 0x${token.toString(16)}`);
    if (follows === FIXED) {
      at += lengthBytes;
      continue;
    }
    const length = lengthBytes === 0 ? shortLength(token) : readLength(body, at, lengthBytes);
    at += lengthBytes;
    if (follows === BYTES) {
      at += length;
      continue;
    }
    const children = follows === MAP ? length * 2 : length;
    values += children;
    if (values > VALUES_MAX) throw new RpcError("TOO_LARGE", `a frame holds more than ${VALUES_MAX} values`);
    if (++depth > NESTING_MAX) throw new RpcError("MALFORMED", `nested deeper than ${NESTING_MAX} levels`);
    pending[depth] = children;
  }
  if (at !== body.length) throw new RpcError("MALFORMED", "a frame's length does not match its content");
}

/** Where a value of a well-formed body ends. */
function skipValue(body: Uint8Array, from: number): number {
  let at = from;
  for (let left = 1; left > 0; left--) {
    const token = body[at++] as number;
    const follows = FOLLOWS[token] as number;
    const lengthBytes = LENGTH_BYTES[token] as number;
    if (follows === FIXED) {
      at += lengthBytes;
      continue;
    }
    const length = lengthBytes === 0 ? shortLength(token) : readLength(body, at, lengthBytes);
    at += lengthBytes;
    if (follows === BYTES) at += length;
    else left += follows === MAP ? length * 2 : length;
  }
  return at;
}

/** The length that a one-byte token holds itself: 4 bits of maps and arrays, 5 of strings. */
function shortLength(token: number): number {
  return token >= 0xa0 ? token & 0x1f : token & 0x0f;
}

/** A length beyond the end of the body becomes a value that no body can satisfy. */
function readLength(body: Uint8Array, at: number, lengthBytes: number): number {
  if (at + lengthBytes > body.length) return body.length;
  if (lengthBytes === 1) return body[at] as number;
  if (lengthBytes === 2) return ((body[at] as number) << 8) | (body[at + 1] as number);
  return readUint32(body, at);
}

function readUint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  return high * 0x10000 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
}

function writeUint32(bytes: Uint8Array, value: number): void {
  bytes[0] = value >>> 24;
  bytes[1] = value >>> 16;
  bytes[2] = value >>> 8;
  bytes[3] = value;
}

/** Without Buffer's own methods, whose `slice` shares memory where Uint8Array's copies. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes;
}
