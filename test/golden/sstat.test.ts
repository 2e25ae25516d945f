/** sstat and seff, byte for byte. */

import { expect, test } from "vitest";
import { command as seff } from "../../src/cli/commands/mgpu-seff.ts";
import { command } from "../../src/cli/commands/sstat.ts";
import type { StepUsage } from "../../src/core/usage.ts";
import { RpcError } from "../../src/protocol/errors.ts";
import type { Result } from "../../src/protocol/procedures.ts";
import { clusterPeer } from "./cluster.ts";
import { expectGolden } from "./expect-golden.ts";
import { historyPeer, withUsage } from "./history.ts";
import { type Outcome, runOn } from "./run.ts";

const USED: StepUsage = {
  ...{ userMs: 61_250, systemMs: 1500, cpuMs: [40_000, 1, 22_750, 0, 62_750], pages: [3, 0, 1, 1, 4] },
  ...{ rssKiB: [1648, 1, 1000, 0, 2648], vmKiB: [2920, 1, 2000, 0, 4920] },
  ...{ read: [6977, 0, 1000, 1, 7977], written: [1_048_576, 0, 0, 1, 1_048_576] },
};

const ANSWER: Result<"step.usage"> = {
  steps: [
    { stepId: "batch", parts: [{ node: "n1", tasks: [0], pids: [71, 72] }] },
    {
      stepId: 0,
      parts: [
        { node: "n1", tasks: [0, 1], pids: [81, 82], usage: USED },
        { node: "n2", tasks: [2, 3], pids: [91], usage: USED },
      ],
    },
  ],
  silent: [],
};

function sstat(argv: readonly string[]): Promise<Outcome> {
  const controller = clusterPeer({
    script: {
      "step.usage": ({ jobId }) => {
        if (jobId !== 12) throw new RpcError("INVALID_JOB", `couldn't get steps for job ${jobId}`);
        return ANSWER;
      },
    },
  });
  return runOn(command, argv, { controller });
}

test.each([
  ["default", ["-j", "12"]],
  ["all", ["-a", "-P", "-j", "12"]],
  ["pids", ["-i", "-a", "-j", "12"]],
  ["fields", ["-p", "-j", "12.0", "-o", "jobid,maxrss%5,avecpu,ntasks,nodelist"]],
  ["helpformat", ["-e"]],
])("sstat %s", async (name, argv) => {
  const { code, out, err } = await sstat(argv);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`sstat-${name}.txt`, out);
});

test("what does not run is said in Slurm's words, and the rest is shown", async () => {
  const { code, out, err } = await sstat(["-n", "-P", "-o", "jobid", "-j", "1,12.7,12.batch"]);
  expect({ code, out }).toEqual({ code: 0, out: "12.batch\n" });
  expect(err).toBe(
    "mgpu-sstat: error: couldn't get steps for job 1\nmgpu-sstat: error: StepId=12.7 not found running.\n",
  );
});

test.each([
  [[], "You didn't give me any jobs to stat."],
  [["-j", "abc"], "Bad job/step specified: abc"],
  [["-j", "12", "-o", "nosuch"], 'Invalid field requested: "nosuch"'],
  [["-j", "12", "-o", "ALL"], 'Invalid field requested: "ALL"'],
])("sstat %j is refused", async (argv, problem) => {
  const { code, out, err } = await sstat(argv);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toContain(`mgpu-sstat: error: ${problem}\n`);
});

test("seff of an ended, a waiting and a cancelled job", async () => {
  const outs = await Promise.all(
    ["20", "14", "21", "22_3"].map((id) => runOn(seff, [id], { controller: historyPeer() })),
  );
  expect(outs.map(({ code, err }) => ({ code, err }))).toEqual(outs.map(() => ({ code: 0, err: "" })));
  expectGolden("seff.txt", outs.map(({ out }) => out).join("--\n"));
});

test("seff of a job whose GPUs were looked at, and of one that was out of memory", async () => {
  const gpu = { gpuUtil: [190, 0, 120.5, 0, 120.5], gpuMemMiB: [30_720, 0, 20_480, 0, 20_480] } as const;
  const outs = await Promise.all(
    ["20", "7"].map((id) => runOn(seff, [id], { controller: historyPeer(3, withUsage(gpu)) })),
  );
  expectGolden("seff-gpus.txt", outs.map(({ out }) => out).join("--\n"));
});

test("sstat shows the use of GPUs among what comes in", async () => {
  const gpu = { gpuUtil: [190, 0, 120.5, 0, 120.5], gpuMemMiB: [30_720, 0, 20_480, 0, 20_480] } as const;
  const steps = ANSWER.steps.map(({ stepId, parts }) => {
    return { stepId, parts: parts.map((part) => (part.usage ? { ...part, usage: { ...part.usage, ...gpu } } : part)) };
  });
  const controller = clusterPeer({ script: { "step.usage": () => ({ steps, silent: [] }) } });
  const { out } = await runOn(command, ["-n", "-P", "-j", "12.0", "-o", "TRESUsageInAve,TRESUsageInMax"], {
    controller,
  });
  expect(out).toContain("gres/gpumem=10G,gres/gpuutil=60,");
  expect(out).toContain("gres/gpumem=30G,gres/gpuutil=190,");
});

test("seff of a job that nobody knows", async () => {
  expect(await runOn(seff, ["999"], { controller: historyPeer() })).toMatchObject({ code: 2, err: "Job not found.\n" });
  expect(await runOn(seff, ["12.0"], { controller: historyPeer() })).toMatchObject({ code: 2 });
});
