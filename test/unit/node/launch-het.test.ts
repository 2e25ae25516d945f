/** What the processes of heterogeneous jobs see: one component, or a step over several. */

import { expect, it } from "vitest";
import { buildStepLaunch } from "../../../src/node/launch.ts";
import type { NodeLaunch } from "../../../src/protocol/procedures.ts";
import { part, request, runLaunch, share } from "./sample-launch.ts";

function environment(launch: NodeLaunch, name: string, task = 0): Record<string, string> {
  const built = buildStepLaunch(launch, { name, gpuProvider: "nvidia", spoolFolder: "/spool/x" });
  if ("problem" in built) throw new Error(built.problem);
  return { ...built.step.environment, ...built.step.tasks[task]?.environment };
}

const VARIABLES = { SLURM_JOB_NODELIST_HET_GROUP_0: "n1", SLURM_GPUS_HET_GROUP_0: "1", SLURM_HET_SIZE: "2" };

/** A step in component 1 of job 7, made by the script of component 0. */
const INNER = runLaunch({
  job: request({ kind: "batch", het: { offset: 1, size: 2 } }),
  key: { jobId: 8, attempt: 1, stepId: 2 },
  allocation: [share("n2", 2, [], 2)],
  environment: { HOME: "/h", SLURM_JOB_ID: "7", SLURM_GPUS: "1", MINE: "x", ...VARIABLES },
  het: { variables: VARIABLES },
});

it("a component's tasks know the whole job's number, and not what only the first component has", () => {
  const seen = environment(INNER, "n2", 1);
  expect(seen).toMatchObject({
    ...{ SLURM_JOB_ID: "7", SLURM_JOB_NODELIST: "n2", SLURM_NTASKS: "2", SLURM_PROCID: "1", SLURM_NODEID: "0" },
    ...{ SLURM_HET_SIZE: "2", SLURM_JOB_NODELIST_HET_GROUP_0: "n1", MINE: "x" },
  });
  expect(seen).not.toHaveProperty("SLURM_GPUS");
});

it("a step over several components is one: its tasks, nodes and peers are those of the whole", () => {
  const whole = {
    firstTask: 1,
    nodes: [
      { node: "n1", hostname: "host1", address: "10.0.0.1", tasks: 1 },
      { node: "n2", hostname: "host2", address: "10.0.0.2", tasks: 2 },
    ],
  };
  const launch = { ...INNER, layout: [part("n2", [1, 2])], het: { variables: VARIABLES, whole } };
  expect(environment(launch, "n2", 1)).toMatchObject({
    ...{ SLURM_PROCID: "2", SLURM_LOCALID: "1", SLURM_NODEID: "1", SLURM_NTASKS: "3", SLURM_NNODES: "2" },
    ...{ SLURM_JOB_NODELIST: "n[1-2]", SLURM_JOB_NUM_NODES: "2", SLURM_TASKS_PER_NODE: "1,2", SLURM_GTIDS: "1,2" },
    ...{ RANK: "2", WORLD_SIZE: "3", LOCAL_RANK: "1", NODE_RANK: "1", MASTER_ADDR: "10.0.0.1" },
  });
  const programs = [0, 1].map((task) => ({ task, argv: [`program-${task}`] }));
  const multi = buildStepLaunch(
    { ...launch, program: { ...launch.program, programs } },
    { name: "n2", gpuProvider: "nvidia", spoolFolder: "/spool/x" },
  );
  expect("step" in multi && multi.step.tasks.map(({ argv }) => argv[0])).toEqual(["program-0", "program-1"]);
});
