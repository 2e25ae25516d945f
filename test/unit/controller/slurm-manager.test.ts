/** Slurm as a lender: what is run, and what is made of its answers, with programs that are only made up. */

import { expect, test } from "vitest";
import { ManagerAway } from "../../../src/controller/elastic/manager.ts";
import { SlurmManager } from "../../../src/controller/elastic/slurm.ts";
import type { BatchPrograms } from "../../../src/platform/batch-programs.ts";

type Answer = Awaited<ReturnType<BatchPrograms["run"]>>;

const said = (code: number, stdout: string, stderr = ""): Answer => ({ outcome: "ended", code, stdout, stderr });
const shape = { cpus: 1, memoryMiB: 100, gpus: "", timeS: 600 };
const limits = { max: 1, backlog: 1, minBetweenS: 0, idleS: 300 };
const queue = { id: 1, manager: "slurm", shape, limits, args: ["-pgpu"], place: {} } as const;
const order = { queue, node: "slurm1-1" };

function slurm(answer: Answer, hasPrograms = true) {
  const ran: string[] = [];
  const manager = new SlurmManager({
    programs: {
      path: "/usr/bin",
      find: (name) => (hasPrograms ? `/usr/bin/${name}` : null),
      run: async (program, args) => {
        ran.push([program, ...args].join(" "));
        return answer;
      },
    },
    isHere: (address) => address === "here",
    facts: () => ({
      ...{ mark: "m", clusterName: "lab", bootId: "b", controllerSocket: "/s", binFolder: "/b", nodeFolder: "/n" },
      ...{ folder: "/e", runtime: "", variables: {} },
    }),
    write: async (path) => void ran.push(`write ${path}`),
    remove: async (path) => void ran.push(`remove ${path}`),
  });
  return { manager, ran };
}

test("without sbatch it says where it looked", async () => {
  const { manager } = slurm(said(0, ""), false);
  expect(manager.problem({ path: "/a:/b" })).toContain("there is no sbatch of Slurm's on your PATH");
  expect(manager.problem({ path: "/a:/b" })).toContain("/a:/b");
  await expect(manager.list({})).rejects.toThrow(ManagerAway);
});

test("a submission comes through, is refused, or nobody knows", async () => {
  const taken = slurm(said(0, "4711;cluster\n"));
  expect(await taken.manager.submit(order)).toEqual({ type: "submitted", id: "4711" });
  expect(taken.ran).toEqual(["write /e/slurm1-1.sh", "/usr/bin/sbatch --parsable -pgpu /e/slurm1-1.sh"]);
  const refused = slurm(said(1, "", "sbatch: error: Batch job submission failed: Invalid qos\n"));
  const problem = "Batch job submission failed: Invalid qos";
  expect(await refused.manager.submit(order)).toEqual({ type: "refused", problem });
  const silent = slurm(said(1, "", "sbatch: error: Unable to contact slurm controller (connect failure)\n"));
  expect(await silent.manager.submit(order)).toMatchObject({ type: "unsure" });
  const hung = slurm({ outcome: "failed", problem: "sbatch did not answer within 60 s" });
  expect(await hung.manager.submit(order)).toMatchObject({ type: "unsure" });
  // Nothing to tell which job it is: the next look at the list does.
  expect(await slurm(said(0, "what?\n")).manager.submit(order)).toMatchObject({ type: "unsure" });
});

test("a test leaves no script behind, and a far machine is seen as one", async () => {
  const { manager, ran } = slurm(said(0, "", "sbatch: Job 12 to start at now\n"));
  expect(await manager.test(order)).toEqual({ isTaken: true, text: "Job 12 to start at now" });
  expect(ran.at(-1)).toBe("remove /e/slurm1-1.sh");
  const near = await slurm(said(0, "8|4000|gpu:4|here\n")).manager.complete({ gpus: "2", timeS: 60 }, {});
  expect(near).toEqual({ shape: { cpus: 4, memoryMiB: 2000, gpus: "2", timeS: 60 }, isFar: false });
  const far = await slurm(said(0, "8|4000|gpu:4|10.0.0.7\n")).manager.complete({ gpus: "2", timeS: 60 }, {});
  expect(far.isFar).toBe(true);
});
