/** mgpu export slurm: the present cluster as slurm.conf, gres.conf and cgroup.conf, with accounts and QOS beside. */

import { WHOLE_GPU } from "../../core/resources.ts";
import { errnoText } from "../../util/errno.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { jobFilter } from "../filters.ts";
import { lastValue } from "../getopt.ts";
import { absolutePath } from "../jobspec.ts";
import type { ExportedCluster } from "../moving/export.ts";
import { flagged, valued } from "../predecessors/verbs.ts";
import { EXIT_USAGE } from "../usage.ts";

export const command: Command = {
  name: "mgpu export",
  summary: "Write slurm.conf, gres.conf and cgroup.conf for the present cluster, with its accounts and QOS beside them",
  synopsis: "[OPTIONS...] slurm [FOLDER]",
  options: [
    valued("controller-host", "name", "the machine on which slurmctld is to run; this one otherwise"),
    flagged("force", "write over files that are there"),
  ],
  operands: "permute",
  examples: ["mgpu export slurm exported", "mgpu export slurm exported --controller-host=head --force"],
  async run(parsed, context) {
    const [to, folder = ".", ...more] = parsed.operands;
    if (to !== "slurm" || more.length > 0) {
      throw new UserError("expected slurm and a folder", `for example: ${context.program} slurm exported`, EXIT_USAGE);
    }
    const host = lastValue(parsed, "controller-host") ?? context.hostname;
    if (!/^[A-Za-z0-9][A-Za-z0-9.-]{0,254}$/.test(host))
      throw new UserError(`--controller-host: no host name: "${host}"`);
    const { exportSlurm } = await import("../moving/export.ts");
    const { files, notes } = exportSlurm(await clusterOf(host, context));
    write(files, absolutePath(folder, context.cwd).replace(/(?!^)\/+$/, ""), parsed.values.has("force"), context);
    for (const note of notes) context.stdio.err(`${note}\n`);
    context.stdio.out(`${folder}: ${Object.keys(files).join(" ")}\n`);
    return 0;
  },
};

async function clusterOf(controllerHost: string, context: CommandContext): Promise<ExportedCluster> {
  const { peer } = await context.connect({ start: false });
  try {
    const [{ nodes }, { partitions }, { values }, { policy, clusterName }, { reservations, now }] = await Promise.all([
      peer.call("nodes.list", {}),
      peer.call("partitions.list", {}),
      peer.call("config.show", {}),
      peer.call("policy.list", {}),
      peer.call("reservations.list", {}),
    ]);
    const gpuParts = new Set<number>();
    await peer.stream("jobs.list", { filter: jobFilter({}), fields: ["gpus"] }, ({ rows }) => {
      for (const [gpus] of rows) if (Number(gpus) % WHOLE_GPU > 0) gpuParts.add(Number(gpus) % WHOLE_GPU);
    });
    const { dumpText } = await import("./sacctmgr/dump.ts");
    const config = new Map(values.map(({ key, value }) => [key, value]));
    const accounts = dumpText(policy, clusterName);
    return { nodes, partitions, reservations, gpuParts: [...gpuParts], now, config, policy, accounts, controllerHost };
  } finally {
    peer.close();
  }
}

/** All or, where one of them is there already, none. */
function write(
  texts: Readonly<Record<string, string>>,
  folder: string,
  isForced: boolean,
  { files }: CommandContext,
): void {
  const paths = Object.keys(texts).map((name) => `${folder}/${name}`);
  const there = isForced ? [] : paths.filter((path) => files.exists(path));
  if (there.length > 0)
    throw new UserError(
      there.map((path) => `${path} is there already`),
      "--force writes over them",
    );
  try {
    files.makeFolder(folder);
    for (const [name, text] of Object.entries(texts)) files.write(`${folder}/${name}`, new TextEncoder().encode(text));
  } catch (error) {
    throw new UserError(`${folder}: ${errnoText(error)}`);
  }
}
