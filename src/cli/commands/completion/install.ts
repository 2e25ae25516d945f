/** mgpu completion install: links to the scripts in the folders where shells look. Nobody's start files are touched. */

import { type CommandContext, UserError } from "../../context.ts";
import { EXIT_USAGE } from "../../usage.ts";
import { SHIMS } from "../mgpu-shims.ts";

/** A shell: its script, where it looks for a command's completion, and by which name. */
interface Shell {
  readonly script: string;
  /** Under the folder of one user's data or configuration, or of all users' data. */
  readonly folder: (context: CommandContext, isSystem: boolean) => string;
  /** Names of the files to be made for these programs. */
  readonly files: (programs: readonly string[]) => readonly string[];
  /** What is still to be done by hand, or empty. */
  readonly remark: (folder: string, isSystem: boolean, context: CommandContext) => string;
}

const SYSTEM = "/usr/local/share";

/** What loads bash's completions by name, where a distribution has it. */
const BASH_LOADERS = ["/usr/share/bash-completion/bash_completion", "/usr/local/share/bash-completion/bash_completion"];

const SHELLS: Readonly<Record<string, Shell>> = {
  bash: {
    script: "mgpu.bash",
    folder: ({ environment }, isSystem) => {
      const own = environment.BASH_COMPLETION_USER_DIR || `${dataFolder(environment)}/bash-completion`;
      return `${isSystem ? `${SYSTEM}/bash-completion` : own}/completions`;
    },
    files: (programs) => programs,
    remark: (_folder, _isSystem, { files }) =>
      BASH_LOADERS.some((path) => isThere(path, files))
        ? ""
        : 'the package bash-completion is not on this machine: put eval "$(mgpu completion bash)" into ~/.bashrc',
  },
  zsh: {
    script: "_mgpu",
    folder: ({ environment }, isSystem) => `${isSystem ? SYSTEM : dataFolder(environment)}/zsh/site-functions`,
    files: () => ["_mgpu"],
    remark: (folder, isSystem) =>
      isSystem ? "" : `in ~/.zshrc, before compinit, there must be: fpath=(${folder} $fpath)`,
  },
  fish: {
    script: "mgpu.fish",
    folder: ({ environment }, isSystem) => {
      const own = environment.XDG_CONFIG_HOME || `${environment.HOME ?? ""}/.config`;
      return isSystem ? `${SYSTEM}/fish/vendor_completions.d` : `${own}/fish/completions`;
    },
    files: (programs) => programs.map((name) => `${name}.fish`),
    remark: () => "",
  },
};

/** The text by which a file that is in the way is known as one of ours. */
const OURS = "Completion of mgpu's commands for";

/** The path of a shell's script, `undefined` for a shell that there is none for. */
export function scriptPath(shell: string, { launcherFolder }: CommandContext): string | undefined {
  const known = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  return known && `${packageFolder(launcherFolder)}/completions/${known.script}`;
}

/**
 * Makes or removes the links, and says what is left to be done.
 * @param shells as typed; none means those that this machine has
 * @throws UserError for unknown shells, and with every link that can't be made
 */
export function installCompletions(
  shells: readonly string[],
  has: (option: string) => boolean,
  context: CommandContext,
): number {
  const unknown = shells.filter((shell) => !Object.hasOwn(SHELLS, shell));
  if (unknown.length > 0) {
    const problems = unknown.map((shell) => `there is no completion for "${shell}"`);
    throw new UserError(problems, "bash, zsh or fish", EXIT_USAGE);
  }
  const chosen = shells.length > 0 ? shells : shellsHere(context);
  const problems = chosen.flatMap((shell) => installOne(shell, has, context));
  if (problems.length > 0) {
    throw new UserError(problems, has("system") ? "--system takes root's rights" : "the other links were made");
  }
  return 0;
}

/** Those on PATH. Where none is found, bash: it is what scripts are in. */
function shellsHere({ files, cwd, environment }: CommandContext): readonly string[] {
  const isHere = (name: string): boolean => files.findProgram(name, cwd, environment.PATH ?? "") === "found";
  const found = Object.keys(SHELLS).filter(isHere);
  return found.length > 0 ? found : ["bash"];
}

/** Problems in words. */
function installOne(name: string, has: (option: string) => boolean, context: CommandContext): string[] {
  const shell = SHELLS[name] as Shell;
  const isSystem = has("system");
  const folder = shell.folder(context, isSystem);
  const paths = shell.files(programsOf(has)).map((file) => `${folder}/${file}`);
  const problems = paths.flatMap((path) => place(path, scriptPath(name, context) ?? "", has("remove"), context));
  if (problems.length > 0) return problems;
  if (has("remove")) {
    context.stdio.out(`${name}: removed from ${folder}\n`);
    return [];
  }
  const remark = shell.remark(folder, isSystem, context);
  context.stdio.out(`${name}: installed in ${folder}; shells that are started from now on have it\n`);
  if (remark !== "") context.stdio.out(`${name}: ${remark}\n`);
  return [];
}

/** Slurm's own names are removed with the rest, whether or not they are asked for. */
function programsOf(has: (option: string) => boolean): readonly string[] {
  const own = ["mgpu", ...SHIMS.map((name) => `mgpu-${name}`), "mgpu-strigger"];
  return [...new Set([...own, ...(has("slurm-names") || has("remove") ? SHIMS : [])])];
}

function place(path: string, script: string, isRemoval: boolean, { files }: CommandContext): string[] {
  try {
    const text = new TextDecoder().decode(files.read(path));
    if (!text.includes(OURS)) return isRemoval ? [] : [`${path}: is somebody else's`];
  } catch {
    // Nothing there, or a link that leads nowhere: an mgpu that was removed.
  }
  try {
    files.remove(path);
  } catch (error) {
    return [`${path}: ${error instanceof Error ? error.message : String(error)}`];
  }
  const problem = isRemoval ? "" : files.link(script, path);
  return problem === "" ? [] : [problem];
}

function isThere(path: string, files: CommandContext["files"]): boolean {
  try {
    return files.stat(path).isFile;
  } catch {
    return false;
  }
}

/** Without the `..` that links would keep. */
function packageFolder(launcherFolder: string): string {
  return launcherFolder.slice(0, launcherFolder.lastIndexOf("/"));
}

function dataFolder({ XDG_DATA_HOME, HOME }: CommandContext["environment"]): string {
  return XDG_DATA_HOME || `${HOME ?? ""}/.local/share`;
}
