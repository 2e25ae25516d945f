/** mgpu import slurm: a slurm.conf as mgpu's configuration, and what of it has no place there. */

import { errnoText } from "../../util/errno.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { lastValue } from "../getopt.ts";
import { absolutePath } from "../jobspec.ts";
import type { ConfFiles, Imported } from "../moving/import.ts";
import type { ParsedOptions } from "../option.ts";
import { flagged, valued } from "../predecessors/verbs.ts";
import { EXIT_USAGE } from "../usage.ts";

export const command: Command = {
  name: "mgpu import",
  summary: "Make mgpu's configuration of a slurm.conf, and say line by line what it leaves out",
  synopsis: "[OPTIONS...] slurm FILE",
  options: [
    valued("output", "file", "write the configuration there rather than to standard output; it must not be there yet"),
    valued("commands", "file", "write what is to be typed once mgpu is up there, as a script; in comments otherwise"),
    valued("gres", "file", "the gres.conf; the one beside FILE otherwise, if it is there"),
    valued("qos", "file", "QOS with their limits, as sacctmgr -P list qos printed them on the Slurm cluster"),
    flagged("fake-gpus", "let nodes pretend to have their GPUs, to try the configuration on other machines"),
    flagged("force", "write over files that are there"),
    flagged("quiet", "say nothing of what needs no place in the configuration, only of what is left out or changed"),
  ],
  operands: "permute",
  examples: [
    "mgpu import slurm slurm.conf > config.yaml",
    "mgpu import slurm slurm.conf --output=config.yaml --commands=then.sh --force",
    "mgpu import slurm slurm.conf --fake-gpus --quiet",
  ],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const [from, file, ...more] = parsed.operands;
  if (from !== "slurm" || file === undefined || more.length > 0) {
    throw new UserError(
      "expected slurm and a file",
      `for example: ${context.program} slurm /etc/slurm/slurm.conf`,
      EXIT_USAGE,
    );
  }
  const targets = ["output", "commands"].flatMap((option) => {
    const path = lastValue(parsed, option);
    return path === undefined ? [] : [{ option, path: absolutePath(path, context.cwd) }];
  });
  const { importSlurm } = await import("../moving/import.ts");
  const imported = importSlurm(filesOf(file, parsed, context), context.files);
  const problems = [...imported.problems, ...targetProblems(targets, parsed.values.has("force"), context)];
  if (problems.length > 0) throw new UserError(problems, "nothing was written");
  await write(imported, file, parsed, context);
  await tell(imported, parsed.values.has("quiet"), context);
  return 0;
}

function filesOf(file: string, parsed: ParsedOptions, { cwd, files }: CommandContext): ConfFiles {
  const placed = (name: string) => ({ path: absolutePath(name, cwd), name });
  const [gres, qos] = [lastValue(parsed, "gres"), lastValue(parsed, "qos")];
  const beside = placed(`${file.includes("/") ? file.slice(0, file.lastIndexOf("/") + 1) : ""}gres.conf`);
  return {
    slurm: placed(file),
    gres: gres !== undefined ? placed(gres) : files.exists(beside.path) ? beside : null,
    qos: qos === undefined ? null : placed(qos),
  };
}

function targetProblems(
  targets: readonly { readonly option: string; readonly path: string }[],
  isForced: boolean,
  { files }: CommandContext,
): string[] {
  return targets.flatMap(({ option, path }) => {
    if (files.exists(path) && !isForced) return [`--${option}: ${path} is there already; --force writes over it`];
    const problem = files.writeProblem(path);
    return problem === "" ? [] : [`--${option}: ${path}: ${problem}`];
  });
}

async function write(imported: Imported, file: string, parsed: ParsedOptions, context: CommandContext): Promise<void> {
  const [{ commandsScript, yamlOf }, { readConfig }] = await Promise.all([
    import("../moving/yaml-text.ts"),
    import("../../config/file.ts"),
  ]);
  const [output, commands] = [lastValue(parsed, "output"), lastValue(parsed, "commands")];
  const options = { source: file, fakeGpus: parsed.values.has("fake-gpus"), hasCommandsFile: commands !== undefined };
  const text = yamlOf(imported, options);
  const checked = readConfig(text, { name: "the configuration made of it", node: "", hostname: "" });
  if ("problems" in checked) throw new UserError(checked.problems, "nothing was written");
  put(output, text, context);
  if (commands !== undefined) put(commands, commandsScript(imported.commands, file), context);
}

function put(path: string | undefined, text: string, { cwd, files, stdio }: CommandContext): void {
  if (path === undefined) return stdio.out(text);
  try {
    files.write(absolutePath(path, cwd), new TextEncoder().encode(text));
  } catch (error) {
    throw new UserError(`${path}: ${errnoText(error)}`);
  }
}

async function tell(
  { notes, nodes, partitions }: Imported,
  isQuiet: boolean,
  { stdio }: CommandContext,
): Promise<void> {
  const { noteText } = await import("../moving/notes.ts");
  const shown = notes.filter(({ kind }) => !isQuiet || kind !== "not needed");
  for (const note of shown) stdio.err(`${noteText(note)}\n`);
  const count = (kind: string): number => notes.filter((note) => note.kind === kind).length;
  stdio.err(
    `${nodes.length} nodes and ${partitions.length} partitions; ` +
      `${count("left out")} left out, ${count("changed")} changed, ${count("not needed")} not needed\n`,
  );
}
