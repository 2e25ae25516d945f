/** As whom a step runs, and whose trouble it is if nobody can say. */

import { expect, test } from "vitest";
import type { AgentContext } from "../../../src/node/agent-context.ts";
import { settleUser } from "../../../src/node/agent-user.ts";
import type { NodeLaunch } from "../../../src/protocol/procedures.ts";

const LAUNCH = {
  user: { uid: 1000, gid: 1000, name: "ada" },
  isShared: true,
  environment: {},
} as unknown as NodeLaunch;

const settle = (error: Error) => {
  const resolve = async () => {
    throw error;
  };
  return settleUser({ name: "n1", user: null, holders: { others: { resolve } } } as unknown as AgentContext, LAUNCH);
};

test("a user database without an answer is the node's trouble, a user that it does not know is not", async () => {
  const away = Object.assign(new Error("getent has not answered for 5 s"), { nodeFault: true });
  const problem = "node n1 can't run jobs of ada: getent has not answered for 5 s";
  expect(await settle(away)).toEqual({ problem, fault: { nodeFault: true } });
  expect(await settle(new Error("this machine knows no user ada"))).toMatchObject({
    fault: { nodeFault: false, unwelcome: true },
  });
});
