/** mgpu shims: links that let programs find mgpu's commands under Slurm's names. */

import type { Command, CommandContext } from "../context.ts";
import { UserError } from "../context.ts";
import { absolutePath } from "../jobspec.ts";
import { EXIT_USAGE } from "../usage.ts";

/** Slurm's commands that mgpu has. */
export const SHIMS = [
  "sacct",
  "sacctmgr",
  "sdiag",
  "sprio",
  "sreport",
  "sshare",
  "srun",
  "sbatch",
  "salloc",
  "sattach",
  "sbcast",
  "scancel",
  "scontrol",
  "seff",
  "sinfo",
  "squeue",
  "sstat",
  "strigger",
] as const;

export const command: Command = {
  name: "mgpu shims",
  summary: "Make links named srun, sbatch, squeue ... in a folder, for programs that were made for Slurm",
  synopsis: "[OPTIONS...] folder",
  options: [],
  operands: "permute",
  examples: ['mgpu shims ~/slurm-names && PATH="$HOME/slurm-names:$PATH" snakemake --slurm'],
  async run({ operands }, context) {
    const [folder, ...more] = operands;
    if (folder === undefined || folder === "" || more.length > 0) {
      throw new UserError("expected one folder", `for example: ${context.program} ~/slurm-names`, EXIT_USAGE);
    }
    const { files, cwd } = context;
    const path = absolutePath(folder, cwd);
    if (!files.isFolder(path) && exists(files, path)) {
      throw new UserError(`${path} is not a folder`, "choose an empty or a new folder");
    }
    const problems = SHIMS.flatMap((name) => linkProblem(context, folder, name));
    if (problems.length > 0) throw new UserError(problems, "nothing else was changed; choose an empty or a new folder");
    context.stdio.out(`${folder}: ${SHIMS.join(" ")}\n`);
    return 0;
  },
};

/** Makes one link, or says in words why not. A link of ours that is there already is fine. */
function linkProblem({ files, launcherFolder, cwd }: CommandContext, folder: string, name: string): string[] {
  const path = `${absolutePath(folder, cwd).replace(/\/$/, "")}/${name}`;
  const problem = files.link(`${launcherFolder}/mgpu-${name}`, path);
  return problem === "" ? [] : [problem];
}

function exists(files: CommandContext["files"], path: string): boolean {
  try {
    files.stat(path);
    return true;
  } catch {
    return false;
  }
}
