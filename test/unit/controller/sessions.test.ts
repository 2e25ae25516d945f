/** Nodes that fall silent: when their connection counts as lost, and for how long nothing was heard. */

import { expect, test } from "vitest";
import { createSessions, type Session } from "../../../src/controller/sessions.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { NODE_ROWS } from "../../golden/cluster.ts";
import { fakeContext, fakePeer } from "../cli/fake-context.ts";

const HEARTBEAT_MS = 1000;
const VITALS = { loadCenti: 0, freeMemoryMiB: 1, bootAt: 1, sockets: 1, coresPerSocket: 1, threadsPerCore: 1 };

function sessionOf(peer: Session["peer"]): Session {
  const [row] = NODE_ROWS;
  if (!row) throw new Error("no row");
  const holder = { socket: "/h.sock", pid: 2, version: "0.1.0", startedAt: 0 };
  const registration = { name: "n1", inventory: row.inventory, pid: 1, startedAt: 0, holder };
  return { peer, registration, strangers: new Set() };
}

function setup() {
  const { clock } = fakeContext();
  const lost: [string, number, number][] = [];
  const beganMs = clock.monotonic();
  const onLost = (node: string, silentMs: number): void => {
    lost.push([node, silentMs, clock.monotonic() - beganMs]);
  };
  const sessions = createSessions({ clock, log: silentLog(), onFound: () => {}, onLost }, HEARTBEAT_MS);
  return { clock, lost, sessions };
}

test("one whose packets are lost counts as lost with the third missed sign, not when its connection is closed", async () => {
  const { clock, lost, sessions } = setup();
  const peer = fakePeer({
    // As a call whose deadline passes; the connection stays open for long after that.
    ping: (_, { deadlineMs }) =>
      new Promise((_resolve, reject) => clock.after(deadlineMs ?? 0, () => reject(new Error()))),
  });
  sessions.add(sessionOf({ ...peer, close: () => {} }));
  await clock.advance(10 * HEARTBEAT_MS);
  expect(lost).toEqual([["n1", 4 * HEARTBEAT_MS, 4 * HEARTBEAT_MS]]);
  expect(sessions.get("n1")).toBeUndefined();
  expect(sessions.lostAt("n1")).not.toBeNull();
});

test("one that hangs up is lost at once, and only once", async () => {
  const { clock, lost, sessions } = setup();
  const peer = fakePeer({ ping: () => ({ now: 0 }) });
  sessions.add(sessionOf(peer));
  await clock.advance(2500);
  peer.lose();
  await clock.advance(10 * HEARTBEAT_MS);
  expect(lost).toEqual([["n1", 0, 2500]]);
});

/** A node that tells of itself `everyMs`, and how often it was asked. */
function telling(everyMs: number, forMs: number) {
  const { clock, lost, sessions } = setup();
  const asked: number[] = [];
  const peer = fakePeer({
    ping: () => {
      asked.push(clock.monotonic());
      return { now: 0 };
    },
  });
  sessions.add(sessionOf(peer));
  const tell = (leftMs: number): void => {
    if (leftMs < everyMs) return;
    clock.after(everyMs, () => {
      sessions.noteVitals(peer, VITALS);
      tell(leftMs - everyMs);
    });
  };
  tell(forMs);
  return { clock, lost, asked };
}

test("one that tells of itself is not asked for a sign of life", async () => {
  // A sign comes a little later each time: its sender waits for the answer first.
  const { clock, lost, asked } = telling(1.05 * HEARTBEAT_MS, 60 * HEARTBEAT_MS);
  await clock.advance(50 * HEARTBEAT_MS);
  expect([lost, asked]).toEqual([[], []]);
});

test("one that stops telling is asked, and goes on being there as long as it answers", async () => {
  const { clock, lost, asked } = telling(HEARTBEAT_MS, 10 * HEARTBEAT_MS);
  await clock.advance(40 * HEARTBEAT_MS);
  expect(lost).toEqual([]);
  expect(asked).toHaveLength(20);
});
