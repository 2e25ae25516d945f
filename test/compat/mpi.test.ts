/** Open MPI's and MPICH's launchers inside of an allocation of two nodes: each starts its own daemons with srun. */

import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeWith, SlurmNames } from "./support/slurm-names.ts";

const PROGRAM = join(import.meta.dirname, "support/mpi.py");

function mpiTest(name: string, launcher: readonly string[], library: string, env: Record<string, string>): void {
  // By name only: Open MPI takes a path as a wish to look for srun in the same folder first.
  describeWith(name, `/usr/bin/${launcher[0]}`, () => {
    let slurm: SlurmNames;

    beforeEach(async () => {
      slurm = new SlurmNames();
      await slurm.start([
        { name: "n1", cpus: 2, gpus: 0 },
        { name: "n2", cpus: 2, gpus: 0 },
      ]);
    });

    afterEach(() => slurm.cluster.stop());

    test("runs four ranks on two nodes that find one another", async () => {
      const { cluster } = slurm;
      const script = `#!/bin/bash\n${launcher.join(" ")} /usr/bin/python3 ${PROGRAM} ${library}\n`;
      const variables = { ...slurm.env, ...env };
      const id = Number(
        (
          await cluster.ok("mgpu-sbatch", ["--parsable", "-N2", "--ntasks-per-node=2", "-o", "out.txt"], {
            input: script,
            env: variables,
          })
        ).trim(),
      );
      await cluster.untilState(id, "COMPLETED", "FAILED");
      const lines = cluster
        .read("out.txt")
        .split("\n")
        .filter((line) => line.startsWith("rank "))
        .sort();
      expect(lines, cluster.read("out.txt")).toEqual([
        "rank 0 of 4 on n1: sum 10",
        "rank 1 of 4 on n1: sum 10",
        "rank 2 of 4 on n2: sum 10",
        "rank 3 of 4 on n2: sum 10",
      ]);
      expect(await cluster.state(id)).toBe("COMPLETED");
    }, 120_000);

    test("a rank that fails fails the job", async () => {
      const { cluster } = slurm;
      const script = `#!/bin/bash\n${launcher.join(" ")} sh -c 'exit $((PMI_RANK + OMPI_COMM_WORLD_RANK))'\n`;
      const out = await cluster.ok("mgpu-sbatch", ["--parsable", "-N2", "--ntasks-per-node=1"], {
        input: script,
        env: { ...slurm.env, ...env },
      });
      await cluster.untilState(Number(out.trim()), "FAILED", "COMPLETED");
      expect(await cluster.state(Number(out.trim()))).toBe("FAILED");
    }, 120_000);
  });
}

// Root, and two "nodes" on one machine that can only talk over its loopback.
const OPEN_MPI = {
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
  OMPI_MCA_oob_tcp_if_include: "lo",
  OMPI_MCA_btl_tcp_if_include: "lo",
  OMPI_MCA_btl: "tcp,self",
};
mpiTest("Open MPI", ["mpirun.openmpi"], "libmpi.so.40", OPEN_MPI);
mpiTest("MPICH", ["mpiexec.mpich"], "libmpich.so.12", {});
