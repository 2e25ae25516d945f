/** Commands of ours, called from within a program: what they print is caught, and their errors are one error. */

import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Child, ChildRequest, Command, CommandContext, Stdio } from "../../cli/context.ts";
import { UserError } from "../../cli/context.ts";
import { parseOptions } from "../../cli/getopt.ts";
import { handedOver, withCommonOptions } from "../../cli/run.ts";
import { realNet } from "../../platform/net.ts";
import { RpcError } from "../../protocol/errors.ts";
import { contextFor } from "../command.ts";
import { type ConnectOptions, MgpuError, type OnOutput } from "./api.ts";
import { kindOf } from "./options.ts";

/** What a command's output is called to be that of: no terminal, and nobody who types. */
const SILENT = { stdinIsTerminal: false, stdoutIsTerminal: false, stderrIsTerminal: false } as const;

/** Where calls go. @throws MgpuError for options of wrong types */
export function openContext(options: ConnectOptions): CommandContext {
  const problems = Object.entries(options).flatMap(([key, value]) => {
    const expected = { cluster: "string", home: "string", start: "boolean" }[key];
    if (expected === undefined) return [`${key}: there is no such option`];
    return value === undefined || typeof value === expected
      ? []
      : [`${key}: expected a ${expected}, got ${kindOf(value)}`];
  });
  if (problems.length > 0) throw new MgpuError(problems);
  const home = options.home === undefined ? {} : { MGPU_HOME: options.home };
  const context = contextFor("mgpu", { ...process.env, ...home }, realNet());
  if (options.cluster !== undefined) context.chooseCluster(options.cluster);
  return context;
}

/** What a command did: its exit code, and what it printed if nobody else took it. */
export interface Called {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command with its options as data; what it says is handed over or kept. Rejects with MgpuError. */
export async function call(
  command: Command,
  argv: readonly string[],
  context: CommandContext,
  onOutput?: OnOutput,
): Promise<Called> {
  const kept = { stdout: "", stderr: "" };
  const take =
    (stream: "stdout" | "stderr") =>
    (data: string | Uint8Array): void => {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      if (onOutput) onOutput(bytes, stream);
      else kept[stream] += new TextDecoder().decode(bytes);
    };
  const stdio: Stdio = { ...SILENT, out: take("stdout"), err: take("stderr") };
  const options = withCommonOptions(command.options);
  const parsed = parseOptions(options, argv, command.operands);
  if (parsed.problems.length > 0) throw new MgpuError(parsed.problems);
  return withErrors(async () => {
    const own = withoutUser({ ...context, stdio });
    const code = (await handedOver({ ...command, options }, parsed, argv, own)) ?? (await command.run(parsed, own));
    return { code, out: kept.stdout, err: kept.stderr };
  });
}

/** Ctrl-C and the keyboard belong to the program that called. */
function withoutUser(context: CommandContext): CommandContext {
  const input = { read: async () => {}, stop: () => {} };
  const startChild = (request: ChildRequest): Promise<Child> => startCaught(request, context.stdio);
  return { ...context, session: { ...context.session, input, onSignal: () => () => {}, startChild } };
}

/** A program without a terminal and input, what it prints handed over: Slurm's own commands. */
async function startCaught({ argv, environment }: ChildRequest, { out, err }: Stdio): Promise<Child> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.on("data", out);
  child.stderr.on("data", err);
  const exited = new Promise<{ code: number; signal: number }>((resolve) => {
    child.once("close", (code, signal) => {
      resolve(signal === null ? { code: code ?? 0, signal: 0 } : { code: 0, signal: constants.signals[signal] });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  return { exited, signal: (signal) => void child.kill(signal) };
}

/** Errors of ours as the one that users of the library know. */
export async function withErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError) throw new MgpuError(error.problems, error.hint);
    if (error instanceof RpcError) throw new MgpuError([error.message || error.code], error.hint);
    throw error;
  }
}
