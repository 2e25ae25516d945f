/** Daemons that a program starts by the library: the commands of ours, in the background. */

import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
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
  return options.invitation === undefined ? startHere(options, env) : joinWith(options.invitation, options, env);
}

async function joinWith(invitation: string, { name, gpus }: NodeOptions, env: NodeJS.ProcessEnv): Promise<NodeHandle> {
  const given = [
    ...(name === undefined ? [] : [`--node-id=${name}`]),
    ...(gpus === undefined ? [] : [`--gpu-count=${gpus}`]),
  ];
  const said = await mgpu(["node", ...given, invitation], env);
  const [, own = name ?? ""] = /^node (\S+) of /.exec(said) ?? [];
  return { name: own, pid: 0, stop: async () => void (await mgpu(["leave", "--force"], env)) };
}

async function startHere({ name, gpus, cpus, memoryMiB }: NodeOptions, env: NodeJS.ProcessEnv): Promise<NodeHandle> {
  const given = { "node-id": name, "gpu-count": gpus, cpus, memory: memoryMiB };
  const args = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [`--${key}=${value}`]));
  const before = await nodeNames(env);
  const child = spawn(join(BIN, "mgpud"), args, { env, cwd: "/", detached: true, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  let isOver = false;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.once("exit", () => {
    isOver = true;
  });
  child.once("error", (error) => {
    said += error.message;
    isOver = true;
  });
  for (let waited = 0; ; waited += LOOK_MS) {
    const here = await nodeNames(env);
    const own = name ?? [...here.keys()].find((one) => !before.has(one)) ?? "";
    if (here.get(own) === child.pid) {
      child.stderr.destroy();
      child.unref();
      return { name: own, pid: child.pid ?? 0, stop: () => ended(child.pid ?? 0) };
    }
    if (isOver) throw new MgpuError([said.trim().split("\n").at(-1) || "mgpud has ended"]);
    if (waited > START_MS) throw new MgpuError(["the node did not register in time"]);
    await pause(LOOK_MS);
  }
}

/** Daemons of nodes on this machine, by name. */
async function nodeNames(env: NodeJS.ProcessEnv): Promise<Map<string, number>> {
  const { daemons } = JSON.parse(await mgpu(["status", "--json"], env));
  return new Map(daemons.map((one: { node: string; pid: number }) => [one.node, one.pid]));
}

async function ended(pid: number): Promise<void> {
  for (let signal: NodeJS.Signals | 0 = "SIGTERM"; ; signal = 0) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    await pause(LOOK_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
