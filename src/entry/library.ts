/** `import { connect, submit, watch, cancel, attach, startController, startNode } from "mgpu"`. */

import type { CommandContext } from "../cli/context.ts";
import { jobFilter } from "../cli/filters.ts";
import type { JobRow } from "../protocol/procedures.ts";
import type { Peer } from "../rpc/types.ts";
import {
  type AttachOptions,
  type Connection,
  type ConnectOptions,
  type ControllerHandle,
  type ControllerOptions,
  type Ended,
  type Job,
  type JobFilter,
  type JobRequest,
  MgpuError,
  type Node,
  type NodeHandle,
  type NodeOptions,
} from "./library/api.ts";
import { call, openContext, withErrors } from "./library/call.ts";
import * as daemons from "./library/daemons.ts";
import { jobIds, requestWords } from "./library/options.ts";

export type * from "./library/api.ts";
export { MgpuError } from "./library/api.ts";

interface Way {
  readonly context: CommandContext;
  readonly peer: Peer;
}

const ways: WeakMap<Connection, Way> = new WeakMap();

/** Connects to a controller; one is started on this machine if none is configured or runs. Rejects with MgpuError. */
export async function connect(options: ConnectOptions = {}): Promise<Connection> {
  return withErrors(async () => {
    const context = openContext(options);
    const { peer, answer } = await context.connect({ start: options.start ?? true });
    const connection: Connection = { version: answer.version, close: () => peer.close() };
    ways.set(connection, { context, peer });
    return connection;
  });
}

/** Queues a job; answers with its number. Rejects with MgpuError, and every problem in it; nothing is queued then. */
export async function submit(request: JobRequest, on?: Connection): Promise<number> {
  const { options, line, environment } = requestWords(request);
  const { command } = await import("../cli/commands/sbatch.ts");
  const context = withVariables(contextOf(on), environment);
  const { out } = await call(command, [...options, "--parsable", `--wrap=${line}`], context);
  return Number.parseInt(out, 10);
}

/** Runs a job as mgpu-srun: waits for it, hands over what it prints, and answers with its exit code. */
export async function run(request: JobRequest, options: AttachOptions = {}, on?: Connection): Promise<Ended> {
  const { options: words, program, environment } = requestWords(request);
  const { command } = await import("../cli/commands/srun.ts");
  const context = withVariables(contextOf(on), environment);
  const onOutput = options.onOutput ?? (() => {});
  const { code } = await call(command, [...words, "--quiet", "--", ...program], context, onOutput);
  return { exitCode: code };
}

/** A job's record now and after each change, until it is over. */
export async function* watch(job: number, on?: Connection): AsyncGenerator<Job, void, undefined> {
  const [jobId = 0] = jobIds(job);
  const way = await wayOf(on);
  const abort = new AbortController();
  const rows: JobRow[] = [];
  let wake: () => void = () => {};
  let end: { readonly error: unknown } | null = null;
  const over = (error: unknown): void => {
    end = { error };
    wake();
  };
  const take = ({ row }: { readonly row: JobRow }): void => {
    rows.push(row);
    wake();
  };
  withErrors(() => way.peer.stream("job.watch", { jobId, owner: false }, take, { signal: abort.signal })).then(
    () => over(null),
    over,
  );
  try {
    for (;;) {
      const row = rows.shift();
      if (row) yield jobOf(row);
      else if (end) break;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    const { error } = end as { readonly error: unknown };
    if (error) throw error;
  } finally {
    abort.abort();
    if (!on) way.peer.close();
  }
}

/** Waits for a job's end; answers with its last record. */
export async function wait(job: number, on?: Connection): Promise<Job> {
  let last: Job | null = null;
  for await (const one of watch(job, on)) last = one;
  if (!last) throw new MgpuError([`job ${job}: nothing is known of it`]);
  return last;
}

/** Ends jobs, or sends them a signal. Those that are over already are no error. */
export async function cancel(
  job: number | readonly number[],
  options: { readonly signal?: string } = {},
  on?: Connection,
): Promise<void> {
  const ids = jobIds(job).map(String);
  const { command } = await import("../cli/commands/scancel.ts");
  const words = options.signal === undefined ? [] : [`--signal=${options.signal}`];
  const { code, err } = await call(command, [...words, ...ids], contextOf(on));
  if (code !== 0) throw new MgpuError(linesOf(err));
}

/** Looks on at a job until its end: its output, from the beginning where that goes to files; answers with its exit code. */
export async function attach(job: number, options: AttachOptions = {}, on?: Connection): Promise<Ended> {
  const [id = 0] = jobIds(job);
  const onOutput = options.onOutput ?? (() => {});
  const context = contextOf(on);
  if (await isBatch(id, on)) {
    const { command } = await import("../cli/commands/mgpu-logs.ts");
    await call(command, ["--follow", String(id)], context, onOutput);
  } else {
    const { command } = await import("../cli/commands/sattach.ts");
    for await (const { state } of watch(id, on)) if (state !== "PENDING") break;
    await call(command, ["--quiet", `${id}.0`], context, onOutput);
  }
  const { exitCode, exitSignal } = await wait(id, on);
  return { exitCode: exitSignal === 0 ? exitCode : 128 + exitSignal };
}

/** Jobs that wait, run, or ended minutes ago. */
export async function jobs(filter: JobFilter = {}, on?: Connection): Promise<readonly Job[]> {
  const { ids = [], states = [], users = [] } = filter;
  const fields = ["id", "name", "user", "state", "reason", "reasonText", "nodeList", "exitCode", "exitSignal"] as const;
  const found: Job[] = [];
  await withPeer(on, (peer) => {
    const wanted = jobFilter({ ids: [...ids], states: [...states], users: [...users] });
    return peer.stream("jobs.list", { filter: wanted, fields: [...fields] }, ({ rows }) => {
      for (const row of rows) found.push(jobOf(Object.fromEntries(fields.map((name, at) => [name, row[at]])) as never));
    });
  });
  return found;
}

/** The nodes of the cluster. */
export async function nodes(on?: Connection): Promise<readonly Node[]> {
  const { nodes: rows } = await withPeer(on, (peer) => peer.call("nodes.list", {}));
  return rows.map(({ name, inventory: { cpus, memoryMiB, gpus } }) => ({
    ...{ name, cpus, memoryMiB },
    gpus: gpus.map(({ index, model, memoryMiB: own }) => ({ index, model, memoryMiB: own })),
  }));
}

/** Starts mgpu on this machine, in the background; what runs already is answered with. Rejects with MgpuError. */
export async function startController(options: ControllerOptions = {}): Promise<ControllerHandle> {
  return daemons.startController(options);
}

/** Starts the daemon of a node on this machine, in the background. Rejects with MgpuError. */
export async function startNode(options: NodeOptions = {}): Promise<NodeHandle> {
  return daemons.startNode(options);
}

function contextOf(on: Connection | undefined): CommandContext {
  return on ? wayTo(on).context : openContext({});
}

function wayTo(on: Connection): Way {
  const way = ways.get(on);
  if (!way) throw new MgpuError(["expected what connect() answered with as the connection"]);
  return way;
}

async function wayOf(on: Connection | undefined): Promise<Way> {
  return wayTo(on ?? (await connect()));
}

async function withPeer<T>(on: Connection | undefined, work: (peer: Peer) => Promise<T>): Promise<T> {
  const { peer } = await wayOf(on);
  return withErrors(() => work(peer)).finally(() => !on && peer.close());
}

function withVariables(context: CommandContext, added: Readonly<Record<string, string>>): CommandContext {
  return { ...context, environment: { ...context.environment, ...added } };
}

async function isBatch(id: number, on: Connection | undefined): Promise<boolean> {
  const found: boolean[] = [];
  await withPeer(on, (peer) =>
    peer.stream("jobs.get", { filter: jobFilter({ ids: [id] }) }, ({ jobs: all }) => {
      for (const { job } of all) found.push(job.spec.kind === "batch" && job.spec.pty === null);
    }),
  );
  if (found.length === 0) throw new MgpuError([`there is no job ${id} any more`]);
  return found.some(Boolean);
}

function jobOf({ id, name, user, state, reason, reasonText, nodeList, exitCode, exitSignal }: JobRow): Job {
  return { id, name, user, state, reason, reasonText: reasonText ?? "", nodes: nodeList, exitCode, exitSignal };
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^.*?: error: /, ""));
}
