/** Under Slurm's names every command is Slurm's to whoever looks: its version, and its words for a dead controller. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster();
const names = join(cluster.folder, "names");
const run = (name: string, args: readonly string[]) => cluster.run(join(names, name), args);

beforeAll(() => cluster.ok("mgpu", ["shims", names]));
afterAll(() => cluster.stop());

/** What each command is asked, and what it says where nobody answers, as Slurm 22.05 does. */
const DEAD: readonly (readonly [name: string, args: readonly string[], words: string])[] = [
  ["squeue", [], "slurm_load_jobs error"],
  ["squeue", ["--json"], "slurm_load_jobs error"],
  ["squeue", ["--start"], "slurm_load_jobs error"],
  ["squeue", ["-s"], "slurm_get_job_steps error"],
  ["sinfo", [], "slurm_load_partitions"],
  ["sinfo", ["--json"], "slurm_load_partitions"],
  ["sinfo", ["-T"], "slurm_load_reservations"],
  ["scancel", ["1"], "scancel: error: Kill job error on job id 1"],
  ["scancel", ["-u", "root"], "slurm_load_jobs error"],
  ["scontrol", ["show", "job"], "slurm_load_jobs error"],
  ["scontrol", ["show", "node"], "slurm_load_node error"],
  ["scontrol", ["update", "jobid=1", "nice=1"], "slurm_update error"],
  ["scontrol", ["requeue", "1"], "slurm_requeue error"],
  ["sbatch", ["--wrap", "hostname"], "sbatch: error: Batch job submission failed"],
  ["srun", ["hostname"], "srun: error: Unable to allocate resources"],
  ["salloc", ["true"], "salloc: error: Job submit/allocate failed"],
  ["sattach", ["1.0"], "sattach: error: Could not get job step info"],
  ["sprio", [], "Couldn't get priority factors from controller"],
  ["sshare", [], "Couldn't get shares from controller"],
  ["sdiag", [], "slurm_get_statistics"],
  ["seff", ["1"], "slurm_load_jobs error"],
  ["scontrol", ["show", "burstbuffer"], "slurm_load_burst_buffer_info error"],
  ["scontrol", ["update", "stepid=1.0", "timelimit=5"], "slurm_update error"],
  ["sacctmgr", ["show", "user"], "sacctmgr: error"],
];

describe("a controller that does not run", () => {
  test.each(DEAD)("%s %j", async (name, args, words) => {
    const { code, stdout, stderr } = await run(name, args);
    expect({ code, stdout, stderr }).toEqual({
      ...{ code: 1, stdout: "", stderr: `${words}: Unable to contact slurm controller (connect failure)\n` },
    });
  });

  test("scontrol ping says that it is down", async () => {
    expect(await run("scontrol", ["ping"])).toMatchObject({
      ...{
        code: 1,
        stdout: expect.stringMatching(
          /^Slurmctld\(primary\) at \S+ is DOWN\n\*+\n\*\* RESTORE SLURMCTLD DAEMON TO SERVICE \*\*\n\*+\n$/,
        ),
      },
    });
  });

  test("what needs no controller needs none", async () => {
    expect(await run("scontrol", ["show", "hostnames", "n[1-2]"])).toMatchObject({ code: 0, stdout: "n1\nn2\n" });
  });

  test("nothing was started", () => {
    expect(existsSync(cluster.home)).toBe(false);
  });
});

test("every command tells Slurm's version, whatever runs", async () => {
  for (const name of readdirSync(names)) {
    for (const option of ["--version", "-V"]) {
      const { code, stdout, stderr } = await run(name, [option]);
      expect({ name, code, stdout, stderr }).toEqual({
        ...{ name, code: 0, stdout: expect.stringMatching(/^slurm 23\.11\.\d+\n$/), stderr: "" },
      });
    }
  }
});
