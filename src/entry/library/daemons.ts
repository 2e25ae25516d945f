/** Daemons that a program starts by the library: the commands of ours, in the background. */

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Environment, nodePlaces, type Places, placesFrom } from "../../config/places.ts";
import { startDaemon } from "../../platform/daemon.ts";
import { canHoldFolder } from "../../platform/folders.ts";
import { findLockHolder } from "../../platform/lock.ts";
import { type ControllerHandle, type ControllerOptions, MgpuError, type NodeHandle, type NodeOptions } from "./api.ts";

const BIN = join(__dirname, "../bin");

/** How long a daemon may take until it is there, milliseconds. */
const START_MS = 60_000;
const LOOK_MS = 100;

type Variables = Readonly<Record<string, string>>;

function variablesOf({ home, variables = {} }: { readonly home?: string; readonly variables?: Variables }) {
  return { ...process.env, ...variables, ...(home === undefined ? {} : { MGPU_HOME: home }) };
}

/** Runs a command of ours. Rejects with MgpuError: what it said on stderr. */
function mgpu(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(join(BIN, "mgpu"), args, { env, encoding: "utf8" }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const lines = stderr.split("\n").filter((line) => line !== "");
      const hint = lines.find((line) => line.includes(": hint: "))?.replace(/^.*?: hint: /, "");
      const said = lines.filter((line) => line.includes(": error: ")).map((line) => line.replace(/^.*?: error: /, ""));
      reject(new MgpuError(said.length > 0 ? said : [error.message], hint));
    });
  });
}

/** Starts mgpu on this machine, if it does not run; see library.ts. */
export async function startController(options: ControllerOptions): Promise<ControllerHandle> {
  const env = variablesOf(options);
  const said = await mgpu(["up", ...(options.listen === undefined ? [] : [`--listen=${options.listen}`])], env);
  const status = JSON.parse(await mgpu(["status", "--json"], env));
  const controller = status.daemons.find(({ daemon }: { daemon: string }) => daemon === "mgpuctld");
  return {
    pid: controller.pid,
    socket: status.socket,
    invitation: /^mgpu join (\S+)/m.exec(said)?.[1] ?? null,
    stop: async ({ force = false } = {}) => void (await mgpu(["down", ...(force ? ["--force"] : [])], env)),
  };
}

/** Starts a node's daemon on this machine; see library.ts. */
export async function startNode(options: NodeOptions): Promise<NodeHandle> {
  const env = variablesOf(options);
  if (options.invitation === undefined) return startHere(options, env);
  // This program's own may be another node's.
  const named = options.name === undefined ? env : { ...env, MGPU_NODE_ID: options.name };
  return joinWith(options.invitation, options, named);
}

async function joinWith(invitation: string, { name, gpus }: NodeOptions, env: NodeJS.ProcessEnv): Promise<NodeHandle> {
  const given = [
    ...(name === undefined ? [] : [`--node-id=${name}`]),
    ...(gpus === undefined ? [] : [`--gpu-count=${gpus}`]),
  ];
  const said = await mgpu(["node", ...given, invitation], env);
  const [, own = name ?? ""] = /^node (\S+) of /.exec(said) ?? [];
  const places = nodePlaces(placesOf(env), own);
  const { pid } = (await findLockHolder(places.folder, "node")) ?? {};
  return { name: own, pid: pid ?? 0, stop: async () => void (await mgpu(["leave", "--force"], env)) };
}

async function startHere({ name, gpus, cpus, memoryMiB }: NodeOptions, env: Environment): Promise<NodeHandle> {
  const given = { "node-id": name, "gpu-count": gpus, cpus, memory: memoryMiB };
  const args = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [`--${key}=${value}`]));
  const before = await nodeNames(env);
  const { logFolder } = placesOf(env);
  const log = `${logFolder}/mgpud${name === undefined ? "" : `-${name}`}.log`;
  const daemon = startDaemon(join(__dirname, "mgpud.cjs"), args, log, changed(env));
  let isOver = false;
  void daemon.exited.then(() => {
    isOver = true;
  });
  for (let waited = 0; ; waited += LOOK_MS) {
    const here = await nodeNames(env);
    const own = name ?? [...here.keys()].find((one) => !before.has(one)) ?? "";
    if (here.get(own) === daemon.pid)
      return { name: own, pid: daemon.pid, stop: () => ended(daemon.pid, () => isOver) };
    if (isOver) throw new MgpuError([lastLine(log)]);
    if (waited > START_MS) throw new MgpuError([`the node did not register in time; ${log} may tell why`]);
    await pause(LOOK_MS);
  }
}

function placesOf(env: Environment): Places {
  return placesFrom(env, process.getuid?.() ?? 0, canHoldFolder);
}

/** Variables that are not this process's own. */
function changed(env: Environment): Record<string, string> {
  const others = Object.entries(env).filter(([name, text]) => text !== process.env[name]);
  return Object.fromEntries(others.map(([name, text]) => [name, text ?? ""]));
}

function lastLine(log: string): string {
  const line = readFileSync(log, "utf8").trim().split("\n").at(-1) ?? "";
  return line.replace(/^mgpud: (?:error: )?/, "") || "mgpud has ended";
}

/** Daemons of nodes on this machine, by name. */
async function nodeNames(env: NodeJS.ProcessEnv): Promise<Map<string, number>> {
  const { daemons } = JSON.parse(await mgpu(["status", "--json"], env));
  const own = daemons.filter((one: { daemon: string }) => one.daemon === "mgpud");
  return new Map(own.map((one: { node: string; pid: number }) => [one.node, one.pid]));
}

/** Looks again and again: a process that we started alone keeps this program from ending. */
async function ended(pid: number, isOver: () => boolean): Promise<void> {
  process.kill(pid, "SIGTERM");
  while (!isOver()) await pause(LOOK_MS);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
