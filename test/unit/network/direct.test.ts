/** Streams that don't pass the controller, as the controller sees to them. */

import { describe, expect, test } from "vitest";
import type { ControllerContext } from "../../../src/controller/context.ts";
import { cutStreams, directWay, voidGuests } from "../../../src/controller/network/direct.ts";
import { RpcError } from "../../../src/protocol/errors.ts";

const CALLER = { grade: "node", identity: "node/n1/1", name: "n1", from: "10.0.0.3" };
const USER = { uid: 1000, gid: 100, name: "ada" };
const PASSAGE = {
  user: USER,
  node: "n1",
  key: { jobId: 1, attempt: 1, stepId: 0 as const },
  isPty: false,
  identity: "user/ada/1",
};
const GUEST = { identity: "stream/ab/1", key: "00" };

/** A controller with one node, which answers calls so. */
function context(answer: (method: string, params: unknown) => unknown, session: object = {}) {
  const said: string[] = [];
  let isClosed = false;
  const peer = {
    call: async (method: string, params: unknown) => answer(method, params),
    close() {
      isClosed = true;
    },
  };
  const registration = { name: "n1", streams: ["10.0.0.3:7412"] };
  const sessions = new Map([["n1", { peer, registration, caller: CALLER, ...session }]]);
  const made = {
    sessions: { get: (name: string) => sessions.get(name), all: sessions },
    log: { warn: (text: string) => void said.push(text) },
  } as unknown as ControllerContext;
  return { made, said, isClosed: () => isClosed };
}

describe("a way straight to a node", () => {
  test("is made by telling the node who comes, and for which step", async () => {
    const told: unknown[] = [];
    const { made } = context((method, params) => void told.push([method, params]));
    expect(await directWay(made, PASSAGE, () => GUEST)).toEqual({ targets: ["10.0.0.3:7412"], ...GUEST });
    const { key } = PASSAGE;
    expect(told).toEqual([["node.expect", { key, isPty: false, user: USER, who: "user/ada/1", guest: GUEST }]]);
  });

  test("is none where the node is ours, listens for nobody, is older, or does not answer", async () => {
    const never = () => {
      throw new Error("called");
    };
    expect(await directWay(context(never, { caller: undefined }).made, PASSAGE, () => GUEST)).toBeNull();
    expect(await directWay(context(never, { registration: { name: "n1" } }).made, PASSAGE, () => GUEST)).toBeNull();
    expect(await directWay(context(never).made, { ...PASSAGE, node: "n2" }, () => GUEST)).toBeNull();
    const old = context(() => {
      throw new RpcError("UNKNOWN_METHOD", "node.expect");
    });
    expect([await directWay(old.made, PASSAGE, () => GUEST), old.said]).toEqual([
      null,
      ["a node can't take a client straight"],
    ]);
  });
});

describe("a void key", () => {
  test("ends its streams at all nodes; one that does not answer has to register anew", async () => {
    expect(await cutStreams(context(() => ({ cut: 2 })).made, ["user/ada/1"])).toBe(2);
    const silent = context(() => {
      throw new RpcError("DEADLINE", "");
    });
    expect([await cutStreams(silent.made, ["user/ada/1"]), silent.isClosed()]).toEqual([0, true]);
  });

  test("is found among the guests of a node that was away; jobs and people of this machine have none", () => {
    const keys = { lookUp: (identity: string) => (identity === "user/ada/2" ? ({} as never) : null) };
    const guests = ["user/ada/1", "user/ada/2", "operator/eve/1", "job/12.1/1", "uid 1000"];
    expect(voidGuests(keys, guests)).toEqual(["user/ada/1", "operator/eve/1"]);
  });
});
