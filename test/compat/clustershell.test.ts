/** clustershell's groups of Slurm: nodes by partition, state, job and user. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeWith, SlurmNames } from "./support/slurm-names.ts";

const GROUPS = `[Main]
default: slurmpart
confdir: $CFGDIR/groups.conf.d
`;

/** As clustershell's own example has them. */
const SLURM = `[slurmpart,sp]
map: sinfo -h -o "%N" -p $GROUP
all: sinfo -h -o "%N"
list: sinfo -h -o "%R"
reverse: sinfo -h -N -o "%R" -n $NODE

[slurmstate,st]
map: sinfo -h -o "%N" -t $GROUP
all: sinfo -h -o "%N"
list: sinfo -h -o "%T" | tr -d '*~#!%$@+^-'

[slurmjob,sj]
map: squeue -h -j $GROUP -o "%N"
list: squeue -h -o "%i" -t R

[slurmuser,su]
map: squeue -h -u $GROUP -o "%N" -t R
list: squeue -h -o "%u" -t R
`;

describeWith("clustershell", "/usr/bin/nodeset", () => {
  let slurm: SlurmNames;

  beforeEach(async () => {
    slurm = new SlurmNames();
    await slurm.start([1, 2, 3].map((number) => ({ name: `n${number}`, cpus: 2, gpus: 1 })));
    const folder = join(slurm.cluster.work, "cs/groups.conf.d");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "../groups.conf"), GROUPS);
    writeFileSync(join(folder, "slurm.conf"), SLURM);
  });

  afterEach(() => slurm.cluster.stop());

  const nodeset = async (...args: string[]): Promise<string> => {
    const env = { ...slurm.env, CLUSTERSHELL_CFGDIR: join(slurm.cluster.work, "cs") };
    return (await slurm.cluster.ok("/usr/bin/nodeset", args, { env })).trim();
  };

  test("folds the nodes of a partition, a state, a job and a user", async () => {
    const { cluster } = slurm;
    expect(await nodeset("-f", "@main")).toBe("n[1-3]");
    const job = await cluster.submit("#!/bin/sh\nsleep 60\n", ["-N2", "--exclusive", "-o", "none"]);
    await cluster.untilState(job, "RUNNING");
    expect(await nodeset("-f", `@sj:${job}`)).toBe("n[1-2]");
    expect(await nodeset("-f", "@st:idle")).toBe("n3");
    expect(await nodeset("-f", "@su:root")).toBe("n[1-2]");
    expect(await nodeset("-l", "-s", "sj")).toBe(`@sj:${job}`);
    // Groups of groups, as administrators write them.
    expect(await nodeset("-f", `@main!@sj:${job}`)).toBe("n3");
    expect(await nodeset("-c", `@sj:${job}`)).toBe("2");
    expect(await nodeset("-e", "@st:idle,@su:root")).toBe("n1 n2 n3");
    expect((await nodeset("-l", "-s", "st")).split("\n").sort()).toEqual(["@st:allocated", "@st:idle"]);
    expect(await nodeset("-l", "-s", "su")).toBe("@su:root");
    expect(await nodeset("-l", "-s", "sp")).toBe("@sp:main");
    await cluster.ok("mgpu-scancel", [String(job)]);
    await cluster.untilState(job, "CANCELLED");
    expect(await nodeset("-f", "@st:idle")).toBe("n[1-3]");
  }, 60_000);
});
