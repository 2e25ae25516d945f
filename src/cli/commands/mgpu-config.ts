/** mgpu config: looks through the configuration file, shows what holds, and prints a sample or a schema. */

import type { OwnNode } from "../../config/load.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { absolutePath } from "../jobspec.ts";
import { didYouMean, EXIT_USAGE } from "../usage.ts";

const VERBS = ["check", "show", "schema", "sample"] as const;
type Verb = (typeof VERBS)[number];

export const command: Command = {
  name: "mgpu config",
  summary: "Check the configuration file, show what holds here, or print a sample or its JSON schema",
  synopsis: "check [FILE] | show | sample | schema",
  options: [],
  operands: "permute",
  examples: [
    "mgpu config sample > ~/.config/mgpu/config.yaml",
    "mgpu config check",
    "mgpu config show",
    "mgpu-scontrol reconfigure",
  ],
  async run({ operands: [word, file, ...more] }, context) {
    const verb = VERBS.find((one) => one === word);
    if (!verb || more.length > 0 || (file !== undefined && verb !== "check")) {
      const guess = verb || word === undefined ? undefined : didYouMean([word], VERBS);
      const hint = guess ?? `${context.program} --help shows examples`;
      throw new UserError(`expected one of ${VERBS.join(", ")}`, hint, EXIT_USAGE);
    }
    return ACTIONS[verb](context, file);
  },
};

/** `mgpu config-sample`, as a predecessor called it. */
export const sampleCommand: Command = {
  name: "mgpu config-sample",
  summary: "Print a configuration file with every key and its default: mgpu config sample",
  synopsis: "[OPTIONS...]",
  options: [],
  operands: "permute",
  examples: ["mgpu config-sample > ~/.config/mgpu/config.yaml"],
  run: async (_parsed, context) => sample(context),
};

const ACTIONS: Readonly<Record<Verb, (context: CommandContext, file?: string) => Promise<number>>> = {
  check,
  show,
  sample,
  schema,
};

async function check(context: CommandContext, file?: string): Promise<number> {
  const { environment, cwd, stdio } = context;
  const env = file === undefined ? environment : { ...environment, MGPU_CONFIG: absolutePath(file, cwd) };
  // A named file is looked at by itself; otherwise everything that a daemon started here would go by.
  const found = await load(
    context,
    env,
    file === undefined ? (await import("../../config/settings.ts")).settingsFrom(environment).problems : [],
  );
  const { configPlaces } = await import("../../config/load.ts");
  if (found.path === null)
    stdio.out(`no configuration file, defaults hold; looked for ${configPlaces(env).join(", ")}\n`);
  else stdio.out(`${found.path}: ${Object.keys(found.file.texts).length} settings, no problem\n`);
  return 0;
}

/** What a daemon that is started here would get, each with where it is from. */
async function show(context: CommandContext): Promise<number> {
  const { environment, stdio } = context;
  const [{ file }, { FILE_KEYS }] = await Promise.all([load(context, environment), import("../../config/schema.ts")]);
  const rows = FILE_KEYS.map(({ key, variable, fallback }) => {
    const given = environment[variable];
    if (given) return [key, given, variable];
    const text = file.texts[variable];
    return text === undefined ? [key, fallback, "default"] : [key, text, file.places[variable] ?? ""];
  });
  const width = Math.max(...rows.map(([key = ""]) => key.length));
  const middle = Math.max(...rows.map(([, text = ""]) => text.length));
  for (const [key = "", text = "", from = ""] of rows) {
    stdio.out(`${key.padEnd(width)} = ${text.padEnd(middle)}  # ${from}\n`);
  }
  return 0;
}

async function sample({ stdio }: CommandContext): Promise<number> {
  const { sampleText } = await import("../../config/sample.ts");
  stdio.out(sampleText());
  return 0;
}

async function schema({ stdio }: CommandContext): Promise<number> {
  const { jsonSchema } = await import("../../config/sample.ts");
  stdio.out(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
  return 0;
}

/** @throws UserError with every problem of the file, and the `others` */
async function load(
  { files, hostname, environment }: CommandContext,
  env: CommandContext["environment"],
  others: readonly string[] = [],
) {
  const { loadConfig } = await import("../../config/load.ts");
  const node: OwnNode = { name: environment.MGPU_NODE_ID ?? "", hostname };
  const found = loadConfig(env, files, node);
  const problems = [...("problems" in found ? found.problems : []), ...others];
  if (problems.length > 0 || "problems" in found) throw new UserError(problems);
  return found;
}
