/**
 * MessagePack for short commands, in a tenth of the code of the package that daemons use, which is faster once it is warm: a command sends
 * and receives two or three messages, and what it pays is the loading (src/decisions/0023-quick-start.md). The build puts this in place of
 * `msgpackr/pack` there; on the wire the two can't be told apart.
 */

/** In the second argument of {@link Packr.pack}: so many bytes are left free before the value. As in msgpackr. */
export const RESERVE_START_SPACE = 2048;

const BYTES_FIRST = 8192;

/** Longer texts are left to the system's decoder. */
const SHORT_TEXT = 48;

/** Most bytes of a text whose length is not told beside its token, and of a letter of JavaScript's. */
const FEW_BYTES = 31;
const LETTER_BYTES_MAX = 3;

/** Node's own way to write a text, as msgpackr uses it too: a call of its own code for each text is all that is left. */
const { utf8Write } = Buffer.prototype as unknown as {
  readonly utf8Write: (this: Uint8Array, text: string, at: number, bytesMax: number) => number;
};

/** As far as codec.ts uses msgpackr's class, with the options that it gives. */
export class Packr {
  private bytes: Uint8Array = new Uint8Array(BYTES_FIRST);
  private at = 0;

  /** The bytes of a value. @param how RESERVE_START_SPACE and a number of bytes below it, to be left free at the start */
  pack(value: unknown, how = 0): Uint8Array {
    this.at = how & (RESERVE_START_SPACE - 1);
    this.write(value);
    return this.bytes.slice(0, this.at);
  }

  /** The value of well-formed bytes without extensions. */
  unpack(bytes: Uint8Array): unknown {
    return new Reader(bytes).read();
  }

  /** What is packed next begins in this memory. */
  useBuffer(bytes: Uint8Array): void {
    // A Buffer would hand out parts of itself, not copies.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private write(value: unknown): void {
    if (typeof value === "string") return this.writeText(value);
    if (typeof value === "number") return this.writeNumber(value);
    if (value === null || value === undefined) return this.byte(0xc0);
    if (typeof value === "boolean") return this.byte(value ? 0xc3 : 0xc2);
    if (typeof value !== "object") throw new TypeError(`a ${typeof value} can't be sent`);
    if (Array.isArray(value)) return this.writeArray(value);
    if (value instanceof Uint8Array) return this.writeBytes(value);
    this.writeMap(value as Readonly<Record<string, unknown>>);
  }

  private writeArray(values: readonly unknown[]): void {
    this.head(values.length, 0x90, 16, [0, 0xdc, 0xdd]);
    for (const one of values) this.write(one);
  }

  private writeMap(map: Readonly<Record<string, unknown>>): void {
    const keys = Object.keys(map).filter((key) => map[key] !== undefined);
    this.head(keys.length, 0x80, 16, [0, 0xde, 0xdf]);
    for (const key of keys) {
      this.writeText(key);
      this.write(map[key]);
    }
  }

  private writeBytes(value: Uint8Array): void {
    this.head(value.length, 0, 0, [0xc4, 0xc5, 0xc6]);
    this.append(value);
  }

  private writeText(text: string): void {
    const bytesMax = LETTER_BYTES_MAX * text.length;
    this.room(bytesMax + 1);
    const count = text.length > FEW_BYTES ? -1 : utf8Write.call(this.bytes, text, this.at + 1, bytesMax);
    if (count >= 0 && count <= FEW_BYTES) {
      this.bytes[this.at] = 0xa0 | count;
      this.at += 1 + count;
      return;
    }
    // How many bytes its length takes is known once it is.
    const length = count >= 0 ? count : Buffer.byteLength(text);
    this.head(length, 0xa0, FEW_BYTES + 1, [0xd9, 0xda, 0xdb]);
    this.room(length);
    utf8Write.call(this.bytes, text, this.at, length);
    this.at += length;
  }

  private writeNumber(value: number): void {
    // -0 is 0 to this test, as it arrives.
    if (value >>> 0 === value) {
      if (value < 0x80) return this.byte(value);
      return this.head(value, 0, 0, [0xcc, 0xcd, 0xce]);
    }
    if (value >> 0 === value) {
      if (value >= -0x20) return this.byte(value & 0xff);
      if (value >= -0x80) return this.number(0xd0, value, 1);
      return value >= -0x8000 ? this.number(0xd1, value, 2) : this.number(0xd2, value, 4);
    }
    this.byte(0xcb);
    this.room(8);
    new DataView(this.bytes.buffer, this.bytes.byteOffset).setFloat64(this.at, value);
    this.at += 8;
  }

  /** A token with a number: within it if that is below `few`, else behind it in one, two or four bytes; a token of 0 is none. */
  private head(count: number, base: number, few: number, tokens: readonly [number, number, number]): void {
    if (count < few) return this.byte(base | count);
    if (count < 0x100 && tokens[0] !== 0) return this.number(tokens[0], count, 1);
    if (count < 0x10000) return this.number(tokens[1], count, 2);
    this.number(tokens[2], count, 4);
  }

  private number(token: number, value: number, bytes: number): void {
    this.byte(token);
    this.room(bytes);
    for (let shift = 8 * (bytes - 1); shift >= 0; shift -= 8) this.bytes[this.at++] = value >>> shift;
  }

  private byte(value: number): void {
    this.room(1);
    this.bytes[this.at++] = value;
  }

  private append(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  private room(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
  }
}

class Reader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  read(): unknown {
    const token = this.count(1);
    if (token < 0x80) return token;
    if (token < 0x90) return this.map(token & 0x0f);
    if (token < 0xa0) return this.array(token & 0x0f);
    if (token < 0xc0) return this.text(token & 0x1f);
    if (token >= 0xe0) return token - 0x100;
    return this.readLong(token);
  }

  private readLong(token: number): unknown {
    if (token === 0xc0) return null;
    if (token === 0xc2 || token === 0xc3) return token === 0xc3;
    if (token <= 0xc6) return this.slice(this.count(1 << (token - 0xc4)));
    if (token === 0xca || token === 0xcb) return this.float(token === 0xca ? 4 : 8);
    if (token <= 0xce) return this.count(1 << (token - 0xcc));
    if (token <= 0xd3) return this.integer(token);
    if (token <= 0xdb) return this.text(this.count(1 << (token - 0xd9)));
    if (token <= 0xdd) return this.array(this.count(token === 0xdc ? 2 : 4));
    return this.map(this.count(token === 0xde ? 2 : 4));
  }

  private integer(token: number): number {
    const bytes = token === 0xcf ? 8 : 1 << (token - 0xd0);
    if (bytes < 8) {
      const unused = 32 - 8 * bytes;
      return (this.count(bytes) << unused) >> unused;
    }
    const view = this.view(8);
    return Number(token === 0xcf ? view.getBigUint64(0) : view.getBigInt64(0));
  }

  private float(bytes: number): number {
    const view = this.view(bytes);
    return bytes === 4 ? view.getFloat32(0) : view.getFloat64(0);
  }

  private view(bytes: number): DataView {
    const part = this.slice(bytes);
    return new DataView(part.buffer, part.byteOffset, bytes);
  }

  /** An unsigned number of at most 4 bytes. */
  private count(bytes: number): number {
    let value = 0;
    for (let left = bytes; left > 0; left--) value = value * 0x100 + (this.bytes[this.at++] as number);
    return value;
  }

  private slice(bytes: number): Uint8Array {
    this.at += bytes;
    return this.bytes.subarray(this.at - bytes, this.at);
  }

  private text(bytes: number): string {
    const part = this.slice(bytes);
    if (bytes > SHORT_TEXT) return utf8(part);
    let text = "";
    for (const byte of part) {
      if (byte >= 0x80) return utf8(part);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  private array(length: number): unknown[] {
    const values: unknown[] = [];
    for (let left = length; left > 0; left--) values.push(this.read());
    return values;
  }

  private map(size: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (let left = size; left > 0; left--) {
      const key = String(this.read());
      map[key === "__proto__" ? "__proto_" : key] = this.read();
    }
    return map;
  }
}

function utf8({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("utf8");
}
