/** Two ends of a tunnel with connections at both: what passes, and what waits. */

import { expect, test } from "vitest";
import { Tunnel } from "../../../src/cli/attach/tunnel.ts";
import type { TcpStream } from "../../../src/platform/tcp.ts";
import { WINDOW_BYTES } from "../../../src/util/mux.ts";
import { settle } from "./fake-context.ts";

function stream() {
  let onData: (chunk: Uint8Array) => void = () => {};
  let onEnd = (): void => {};
  const written: Uint8Array[] = [];
  const waiting: (() => void)[] = [];
  const state = { isPaused: false, isEnded: false, isDestroyed: false, takes: true };
  const fake: TcpStream = {
    start(data, end) {
      onData = data;
      onEnd = end;
    },
    write(data) {
      written.push(data);
      return state.takes ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
    },
    pause() {
      state.isPaused = true;
    },
    resume() {
      state.isPaused = false;
    },
    end() {
      state.isEnded = true;
    },
    destroy() {
      state.isDestroyed = true;
    },
  };
  return {
    ...{ fake, state },
    arrives: (text: string | Uint8Array) => onData(typeof text === "string" ? Buffer.from(text) : text),
    ends: () => onEnd(),
    text: () => Buffer.concat(written).toString(),
    bytes: () => written.reduce((sum, part) => sum + part.length, 0),
    takeAll: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

/** A near end that accepts and a far end that connects, joined. */
function pair() {
  const far: ReturnType<typeof stream>[] = [];
  const toFar: Uint8Array[] = [];
  const ends = {
    near: new Tunnel((frame) => void toFar.push(frame), null),
    far: new Tunnel(
      (frame) => ends.near.receive(frame),
      () => {
        const made = stream();
        far.push(made);
        return made.fake;
      },
    ),
  };
  const pump = (): void => {
    for (const frame of toFar.splice(0)) ends.far.receive(frame);
  };
  return { ...ends, connections: far, pump };
}

test("bytes go both ways, connections apart, each side ends by itself", async () => {
  const { near, connections, pump } = pair();
  const [one, two] = [stream(), stream()];
  near.accept(one.fake);
  near.accept(two.fake);
  one.arrives("GET one");
  two.arrives("GET two");
  pump();
  expect(connections.map((connection) => connection.text())).toEqual(["GET one", "GET two"]);
  connections[1]?.arrives("answer two");
  connections[0]?.arrives("answer one");
  expect([one.text(), two.text()]).toEqual(["answer one", "answer two"]);
  connections[0]?.ends();
  expect([one.state.isEnded, near.count]).toEqual([true, 2]);
  one.ends();
  pump();
  expect([connections[0]?.state.isEnded, near.count]).toEqual([true, 1]);
});

test("a reader that takes nothing stops its writer at the window, and nobody else's", async () => {
  const { near, connections, pump } = pair();
  const slow = stream();
  slow.state.takes = false;
  near.accept(slow.fake);
  pump();
  const source = connections[0];
  for (let sent = 0; !source?.state.isPaused; sent++) {
    source?.arrives(new Uint8Array(50_000));
    expect(sent).toBeLessThan(WINDOW_BYTES / 50_000 + 1);
  }
  expect(slow.bytes()).toBeLessThan(WINDOW_BYTES + 50_000);
  slow.takeAll();
  await settle();
  pump();
  expect(source?.state.isPaused).toBe(false);
});

test("the end of the tunnel is the end of all", () => {
  const { near } = pair();
  const one = stream();
  near.accept(one.fake);
  near.close();
  expect([one.state.isDestroyed, near.count]).toEqual([true, 0]);
});
