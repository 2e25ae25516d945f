import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Envelope, encodeFrame, FrameReader } from "../../../src/protocol/codec.ts";
import { FRAME_BYTES_MAX, NESTING_MAX } from "../../../src/protocol/envelope.ts";
import { RpcError } from "../../../src/protocol/errors.ts";

function read(bytes: Uint8Array, bytesMax = FRAME_BYTES_MAX): Envelope[] {
  return [...new FrameReader(bytesMax).push(bytes)].map((frame) => frame.envelope);
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof RpcError) return error.code;
    throw error;
  }
  return "none";
}

function framed(...body: number[]): Uint8Array {
  return Uint8Array.from([0, 0, body.length >> 8, body.length & 0xff, ...body]);
}

const CALL = [0, 7, "job.submit", { name: "träin", bytes: Uint8Array.of(1, 2, 3), at: 1.7e12, none: null }] as const;

describe("encodeFrame", () => {
  it("starts with the length of the rest", () => {
    const frame = encodeFrame([2, "x", null]);
    expect([...frame]).toEqual([0, 0, 0, 5, 0x93, 2, 0xa1, 0x78, 0xc0]);
  });

  it("leaves out undefined, and writes whole maps of more than 65,535 keys", () => {
    const many = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`key${i}`, i]));
    expect(read(encodeFrame([2, "x", { a: undefined, many }]))).toEqual([[2, "x", { many }]]);
  });

  it("refuses what is too large, and works on afterwards", () => {
    expect(codeOf(() => encodeFrame([2, "x", new Uint8Array(FRAME_BYTES_MAX)]))).toBe("TOO_LARGE");
    expect(read(encodeFrame(CALL))).toEqual([CALL]);
  });

  it("does not write over frames that it returned earlier", () => {
    const first = encodeFrame(CALL);
    const copy = first.slice();
    for (let i = 0; i < 2000; i++) encodeFrame([2, "x", "y".repeat(i)]);
    expect(first).toEqual(copy);
  });
});

describe("the encoder's memory", () => {
  it("shrinks again after a large frame", () => {
    encodeFrame([2, "x", new Uint8Array(4 * 1024 * 1024)]);
    expect(encodeFrame(CALL).buffer.byteLength).toBeLessThan(100_000);
  });
});

describe("FrameReader", () => {
  it("reads frames split at every byte", () => {
    const bytes = Uint8Array.from([...encodeFrame(CALL), ...encodeFrame([2, "ping", {}]), ...encodeFrame(CALL)]);
    for (let split = 0; split <= bytes.length; split++) {
      const reader = new FrameReader(FRAME_BYTES_MAX);
      const envelopes = [...reader.push(bytes.subarray(0, split)), ...reader.push(bytes.subarray(split))];
      expect(envelopes.map((frame) => frame.envelope)).toEqual([CALL, [2, "ping", {}], CALL]);
    }
  });

  it("reads frames that come byte by byte, and counts their bytes", () => {
    const reader = new FrameReader(FRAME_BYTES_MAX);
    const frame = encodeFrame(CALL);
    const frames = [...frame, ...frame].flatMap((byte) => [...reader.push(Uint8Array.of(byte))]);
    expect(frames).toEqual([
      { envelope: CALL, bytes: frame.length },
      { envelope: CALL, bytes: frame.length },
    ]);
  });

  it("takes linear time for a large frame in small chunks", () => {
    const frame = encodeFrame([2, "x", new Uint8Array(8 * 1024 * 1024).fill(7)]);
    const reader = new FrameReader(FRAME_BYTES_MAX);
    const frames = [];
    for (let at = 0; at < frame.length; at += 100) frames.push(...reader.push(frame.subarray(at, at + 100)));
    expect(frames.map(({ bytes }) => bytes)).toEqual([frame.length]);
  }, 5000);

  it("gives bytes as plain Uint8Arrays", () => {
    const [envelope] = read(Buffer.from(encodeFrame([2, "x", Buffer.from("abc")])));
    expect(Object.getPrototypeOf(envelope?.[2])).toBe(Uint8Array.prototype);
    expect(envelope?.[2]).toEqual(Uint8Array.of(97, 98, 99));
  });

  it("refuses a frame above the limit by its prefix alone", () => {
    expect(codeOf(() => read(Uint8Array.of(0, 0, 0x10, 0), 4096))).toBe("TOO_LARGE");
    expect(codeOf(() => read(Uint8Array.of(0, 0, 0x0f, 0xfc), 4096))).toBe("none");
    expect(codeOf(() => read(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")))).toBe("TOO_LARGE");
    const reader = new FrameReader(4096);
    expect([...reader.push(Uint8Array.of(0xff, 0xff))]).toEqual([]);
    expect(codeOf(() => [...reader.push(Uint8Array.of(0xff, 0xff))])).toBe("TOO_LARGE");
  });

  it("applies a new limit from the next frame on, also within a chunk", () => {
    const large = encodeFrame([2, "x", "y".repeat(5000)]);
    const reader = new FrameReader(100);
    const bytes = Uint8Array.from([...encodeFrame([2, "x", 1]), ...large]);
    const methods = [];
    for (const { bytes: length } of reader.push(bytes)) {
      reader.bytesMax = 10_000;
      methods.push(length);
    }
    expect(methods).toEqual([9, large.length]);
  });

  it("accepts the deepest nesting and refuses one level more", () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    expect(codeOf(() => read(encodeFrame([2, "x", nested(NESTING_MAX - 1)])))).toBe("none");
    expect(codeOf(() => read(encodeFrame([2, "x", nested(NESTING_MAX)])))).toBe("MALFORMED");
    expect(codeOf(() => read(framed(...Array<number>(50_000).fill(0x91))))).toBe("MALFORMED");
  });

  it.each([
    ["nothing", []],
    ["a map", [0x80]],
    ["an unknown envelope type", [0x93, 3, 0xa1, 0x78, 0xc0]],
    ["a notification with an id", [0x94, 2, 1, 0xa1, 0x78, 0xc0]],
    ["a call without params", [0x93, 0, 1, 0xa1, 0x78]],
    ["a call with id 0", [0x94, 0, 0, 0xa1, 0x78, 0xc0]],
    ["a call with a negative id", [0x94, 0, 0xff, 0xa1, 0x78, 0xc0]],
    ["a call whose method is a number", [0x94, 0, 1, 5, 0xc0]],
    ["an answer whose error is a string", [0x94, 1, 1, 0xa1, 0x78, 0xc0]],
    ["an answer whose error has no message", [0x94, 1, 1, 0x81, 0xa4, 0x63, 0x6f, 0x64, 0x65, 0xa1, 0x78, 0xc0]],
    ["an end within a value", [0x93, 2, 0xa5, 0x78]],
    ["an end within a length", [0x93, 2, 0xda, 0x01]],
    ["an array longer than the frame", [0x93, 2, 0xa1, 0x78, 0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["more than one value", [0x93, 2, 0xa1, 0x78, 0xc0, 0xc0]],
    ["the token that is never used", [0x93, 2, 0xa1, 0x78, 0xc1]],
    ["a date", [0x93, 2, 0xa1, 0x78, 0xd6, 0xff, 0, 0, 0, 0]],
    ["a record definition", [0x93, 2, 0xa1, 0x78, 0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01]],
    ["a map as a key", [0x93, 2, 0xa1, 0x78, 0x81, 0x80, 0xc0]],
  ])("refuses %s", (_, body) => {
    expect(["MALFORMED", "TOO_LARGE"]).toContain(codeOf(() => read(framed(...body))));
  });

  it("refuses more values than a frame may hold", () => {
    const body = new Uint8Array(5 * 1024 * 1024 + 9).fill(0xc0);
    body.set([0x93, 2, 0xa1, 0x78, 0xdd, 0, 0x50, 0, 0]);
    const frame = new Uint8Array(body.length + 4);
    new DataView(frame.buffer).setUint32(0, body.length);
    frame.set(body, 4);
    expect(codeOf(() => read(frame))).toBe("TOO_LARGE");
  });

  it("reads 64-bit integers of other languages as numbers", () => {
    expect(read(framed(0x93, 2, 0xa1, 0x78, 0xcf, 0, 0, 1, 0, 0, 0, 0, 0))).toEqual([[2, "x", 2 ** 40]]);
    expect(read(framed(0x93, 2, 0xa1, 0x78, 0xd3, 255, 255, 255, 255, 255, 255, 255, 254))).toEqual([[2, "x", -2]]);
  });

  it("gives a hostile key no way to the prototype", () => {
    const key = [..."__proto__"].map((letter) => letter.charCodeAt(0));
    const [envelope] = read(framed(0x93, 2, 0xa1, 0x78, 0x81, 0xa9, ...key, 0x81, 0xa1, 0x61, 0x01));
    expect(Object.getPrototypeOf(envelope?.[2])).toBe(Object.prototype);
  });
});

/** Real bytes of version 1. Later versions must read them; the files are never edited. */
describe("frozen samples", () => {
  const samples: Record<string, Envelope> = {
    hello: [
      0,
      1,
      "hello",
      {
        role: "client",
        protocol: { major: 1, minor: 0 },
        version: "0.1.0",
        user: { uid: 1000, gid: 1000, name: "ada" },
      },
    ],
    call: [
      0,
      2,
      "step.input",
      {
        key: { jobId: 42, attempt: 1, stepId: "batch" },
        token: "t0k3n",
        task: null,
        offset: 4_294_967_296,
        data: Uint8Array.of(0, 1, 2, 254, 255),
        eof: false,
      },
    ],
    answer: [1, 2, null, { jobId: 70_000 }],
    error: [1, 3, { code: "NOT_FEASIBLE", message: "no node has 9 GPUs", hint: "ask for at most 8" }, null],
    item: [
      2,
      "stream.item",
      { call: 4, value: { type: "data", task: 0, stream: "out", offset: 300, data: Uint8Array.of(104, 105, 10) } },
    ],
  };

  it.each(Object.entries(samples))("reads %s", (name, expected) => {
    const file = readFileSync(new URL(`../../fixtures/wire/v1/${name}.bin`, import.meta.url));
    expect(read(file)).toEqual([expected]);
  });
});
