import { expect, test } from "vitest";
import { asComponent, hetVariables } from "../../../src/core/het-variables.ts";
import { pending, running } from "../sched/samples.ts";
import { gpuRequest, request } from "../support/samples.ts";

const share = (node: string, tasks: number, cpus: number) => ({ node, tasks, cpus, memoryMiB: 0, gpus: [] });

test("each component's variables, and only the wishes that it has", () => {
  const first = running(pending(5, { request: gpuRequest(1), het: { offset: 0, size: 2 }, account: "vision" }));
  const second = running(pending(6, { request: request({ cpusPerTask: 2 }), het: { offset: 1, size: 2 } }));
  const variables = hetVariables([
    { job: { ...first, allocation: [share("n1", 1, 1)] }, partition: "main" },
    { job: { ...second, allocation: [share("n2", 2, 4), share("n3", 1, 2)] }, partition: "big" },
  ]);
  expect(variables).toMatchObject({
    ...{ SLURM_HET_SIZE: "2", SLURM_JOB_ID_HET_GROUP_0: "5", SLURM_JOB_ID_HET_GROUP_1: "6" },
    ...{ SLURM_JOB_NODELIST_HET_GROUP_0: "n1", SLURM_JOB_NODELIST_HET_GROUP_1: "n[2-3]" },
    ...{ SLURM_JOB_NUM_NODES_HET_GROUP_1: "2", SLURM_NTASKS_HET_GROUP_1: "3", SLURM_TASKS_PER_NODE_HET_GROUP_1: "2,1" },
    ...{ SLURM_JOB_CPUS_PER_NODE_HET_GROUP_1: "4,2", SLURM_JOB_PARTITION_HET_GROUP_1: "big" },
    ...{ SLURM_JOB_ACCOUNT_HET_GROUP_0: "vision", SLURM_GPUS_HET_GROUP_0: "1", SLURM_CPUS_PER_TASK_HET_GROUP_1: "2" },
  });
  expect(Object.keys(variables)).not.toContain("SLURM_GPUS_HET_GROUP_1");
  expect(asComponent({ ...variables, HOME: "/h", SLURM_JOB_ID: "5", SLURM_GPUS: "1" }, 1)).toMatchObject({
    ...{ HOME: "/h", SLURM_JOB_ID: "5", SLURM_JOB_NODELIST: "n[2-3]", SLURM_CPUS_PER_TASK: "2" },
  });
  expect(asComponent({ ...variables, SLURM_GPUS: "1" }, 1).SLURM_GPUS).toBeUndefined();
  expect(asComponent({ HOME: "/h", NOTHING: undefined }, 1)).toEqual({ HOME: "/h" });
});

test("nothing is said of a job that is no component", () => {
  expect(hetVariables([{ job: running(pending(5)), partition: "main" }])).toEqual({});
});
