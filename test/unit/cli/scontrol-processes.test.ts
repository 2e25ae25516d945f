/** scontrol notify, listpids and pidinfo: what is asked, and what is told. */

import { expect, test } from "vitest";
import { command } from "../../../src/cli/commands/scontrol.ts";
import type { Job, Step } from "../../../src/core/job.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { JOBS, NODE_ROWS, NOW, rowOf } from "../../golden/cluster.ts";
import { runOn } from "../../golden/run.ts";
import { fakePeer } from "./fake-context.ts";

const found = JOBS.find((job) => job.state === "RUNNING" && !job.array && job.suspendedAt === null);
if (found?.state !== "RUNNING") throw new Error("a job runs");
const NODE = found.allocation[0]?.node ?? "";
const STEP: Step = {
  id: "batch",
  ...{ name: "batch", spec: null, requestId: "", startAt: NOW, endAt: null, state: "RUNNING" },
  ...{ parts: [], ending: null },
};
const RUNNING: Job = { ...found, steps: [STEP] };

const HERE = NODE_ROWS.filter(({ name }) => name === NODE).map((row) => ({
  ...row,
  inventory: { ...row.inventory, hostname: "desk" },
}));

/** @param here whether the job's node is this machine's */
function controller(said = 1, here = false) {
  return fakePeer({
    "jobs.get": async ({ filter }, send) => {
      const isMeant = filter.ids.length === 0 || filter.ids.includes(RUNNING.id);
      if (isMeant) await send({ jobs: [{ job: RUNNING, row: rowOf(RUNNING) }] });
      return { now: NOW };
    },
    "nodes.list": () => ({ nodes: here ? HERE : [], now: NOW }),
    "step.usage": () => ({
      steps: [
        { stepId: "batch", parts: [{ node: NODE, tasks: [0], pids: [501, 502] }] },
        { stepId: 0, parts: [{ node: "elsewhere", tasks: [0], pids: [777] }] },
      ],
      silent: [],
    }),
    "job.notify": ({ jobId }) => {
      if (jobId === 999) throw new RpcError("INVALID_JOB", "Invalid job id specified");
      return { said };
    },
  });
}

const id = String(RUNNING.id);

test("a message goes to the job's nodes", async () => {
  const peer = controller();
  const { code, out, err } = await runOn(command, ["notify", id, "down", "at", "noon"], { controller: peer });
  expect({ code, out, err }).toEqual({ code: 0, out: "", err: "" });
  expect(peer.calls.find(({ method }) => method === "job.notify")?.params).toEqual({
    ...{ jobId: RUNNING.id, message: "down at noon" },
  });
});

test("what nobody could hear is told, and an unknown job", async () => {
  const deaf = await runOn(command, ["notify", id, "x"], { controller: controller(0) });
  expect(deaf).toMatchObject({ code: 1, out: "" });
  expect(deaf.err).toContain("job notify failure: nothing of job");
  const unknown = await runOn(command, ["notify", "4242", "x"], { controller: controller() });
  expect(unknown.err).toBe("mgpu-scontrol: error: job notify failure: Invalid job id specified\n");
});

test("processes of steps on a node", async () => {
  const { code, out } = await runOn(command, ["listpids", id, NODE], { controller: controller() });
  const row = (pid: number): string => `${pid}      ${id.padEnd(8)} batch    -       -       \n`;
  expect({ code, out }).toEqual({
    code: 0,
    out: `PID      JOBID    STEPID   LOCALID GLOBALID\n${row(501)}${row(502)}`,
  });
  const none = await runOn(command, ["listpids", `${id}.0`, NODE], { controller: controller() });
  expect(none).toMatchObject({ code: 1, err: `mgpu-scontrol: error: Job step ${id}.0 does not exist.\n` });
});

test("whose a process is: no job's, where no node of this machine has it", async () => {
  const { code, err } = await runOn(command, ["pidinfo", "501"], { controller: controller() });
  expect({ code, err }).toEqual({ code: 1, err: "Failed to locate job for requested pid\n" });
});

test("the job of a process, and when that must end", async () => {
  const { code, out } = await runOn(command, ["pidinfo", "502"], { controller: controller(1, true) });
  expect(code).toBe(0);
  expect(out).toMatch(
    new RegExp(`^Slurm JobId=${id} ends at \\w{3} \\w{3} [ \\d]\\d [\\d:]{8} 202\\d\nslurm_get_rem_time is \\d+\n$`),
  );
});
