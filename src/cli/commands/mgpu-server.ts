/** mgpu server (master), mgpu node: `mgpu up --listen` and `mgpu join` under the names of mgpu's predecessors. */

import { type Command, type CommandContext, UserError } from "../context.ts";
import { lastValue } from "../getopt.ts";
import type { ParsedOptions } from "../option.ts";
import { alias, flagged, runAs, valued } from "../predecessors/verbs.ts";
import { runCommand } from "../run.ts";
import { EXIT_USAGE } from "../usage.ts";

/** Where the earlier programs listened. */
const HOST = "0.0.0.0";
const PORT = "8080";

const VERBOSE = flagged("verbose", "the daemon's log tells more, if this starts it");

export const server: Command = {
  name: "mgpu server",
  summary: "Start mgpu for other machines too, in the background, and print the line that joins a node",
  synopsis: "[OPTIONS...]",
  options: [
    valued("host", "address", `address to listen at (default ${HOST})`),
    valued("port", "number", `port to listen at (default ${PORT})`),
    VERBOSE,
  ],
  operands: "permute",
  examples: ["mgpu server", "mgpu server --host 10.0.0.1 --port 8080 --verbose", "mgpu down"],
  async run(parsed, context) {
    const address = addressOf(lastValue(parsed, "host") ?? HOST, lastValue(parsed, "port") ?? PORT, "");
    if (!parsed.values.has("verbose")) return runAs(() => import("./mgpu-up.ts"), [`--listen=${address}`], context);
    // A daemon has the environment of the process that starts it.
    const argv = [`${context.launcherFolder}/mgpu`, "up", `--listen=${address}`];
    const { environment } = verbose(parsed, context);
    const child = await context.session.startChild({ argv, environment: variablesOf(environment), isApart: false });
    const { code, signal } = await child.exited;
    return signal > 0 ? 128 + signal : code;
  },
};

export const master = alias("mgpu master", server);

export const node: Command = {
  name: "mgpu node",
  summary: "Make this machine a node: mgpu join, with the options of earlier programs",
  synopsis: "[OPTIONS...] [host:port#token]",
  options: [
    valued("node-id", "name", "name of this node; the short host name otherwise"),
    valued("master-host", "host", "where the controller is, together with --token"),
    valued("master-port", "number", `its port (default ${PORT})`),
    valued("token", "token", "what stands behind the # of the line that mgpu server printed"),
    valued("gpu-count", "count", "offer so many fake GPUs instead of those that are found"),
    VERBOSE,
  ],
  operands: "permute",
  examples: ["mgpu node --node-id node001 gpu0:8080#3f9a...", "mgpu node --master-host gpu0 --token 3f9a..."],
  run: joinAsNode,
};

async function joinAsNode(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const host = lastValue(parsed, "master-host");
  const token = lastValue(parsed, "token");
  const [line, ...more] = parsed.operands;
  const problems = more.map((word) => `unexpected word "${word}"`);
  if (line !== undefined && token !== undefined)
    problems.push(`both --token and the line "${line.replace(/#.*/s, "#...")}"`);
  const port = lastValue(parsed, "master-port") ?? PORT;
  if (host !== undefined && token === undefined && line === undefined) {
    problems.push("--master-host needs the token of its cluster: no machine joins without one");
  }
  if (host === undefined && token !== undefined) problems.push("--token: of which controller? --master-host says");
  if (problems.length > 0) {
    const hint = "mgpu server or mgpu key token on the controller's machine prints host:port#token: paste it whole";
    throw new UserError(problems, hint, EXIT_USAGE);
  }
  const invitation = line ?? (host === undefined ? undefined : `${addressOf(host, port, "master-")}#${token}`);
  const id = lastValue(parsed, "node-id");
  const gpus = lastValue(parsed, "gpu-count");
  const { environment } = verbose(parsed, context);
  const variables = gpus === undefined ? environment : { ...environment, MGPU_FAKE_GPUS: gpus };
  const { join } = await import("./mgpu-join.ts");
  const argv = [...(id === undefined ? [] : [`--node-id=${id}`]), ...(invitation === undefined ? [] : [invitation])];
  return runCommand(join, argv, { ...context, environment: variables });
}

/** `host:port`. @throws UserError for what is none */
export function addressOf(host: string, port: string, prefix: string): string {
  const problems: string[] = [];
  if (!/^[A-Za-z0-9:._-]+$/.test(host)) problems.push(`--${prefix}host: expected a name or an address, got "${host}"`);
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    problems.push(`--${prefix}port: expected a number from 1 to 65535, got "${port}"`);
  }
  if (problems.length > 0) throw new UserError(problems, undefined, EXIT_USAGE);
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function variablesOf(environment: CommandContext["environment"]): Record<string, string> {
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(given);
}

/** A context whose daemons tell more. */
function verbose({ values }: ParsedOptions, context: CommandContext): CommandContext {
  if (!values.has("verbose")) return context;
  return { ...context, environment: { ...context.environment, MGPU_LOG_LEVEL: "debug" } };
}
