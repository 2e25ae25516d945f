/**
 * Slurm as the other end of a connection: the procedures of mgpu's controller, answered from Slurm's commands. What has no
 * meaning there is refused with the reason, never answered with nothing.
 */

import { RpcError } from "../../protocol/errors.ts";
import type { Method } from "../../protocol/procedures.ts";
import type { AnyHandlers, CallContext, CallOptions, Connected, Peer, Sink } from "../../rpc/types.ts";

type Handler = (params: never, ...rest: unknown[]) => Promise<unknown>;

const BORROWS = "mgpu alloc borrows machines for a cluster of mgpu's own";

/** Why procedures that need mgpu's own controller are not to be had. */
const REASONS: Readonly<Partial<Record<Method, string>>> = {
  "job.submit": "jobs are submitted to Slurm by mgpu-sbatch, mgpu-srun and mgpu-salloc, which hand over to Slurm's own",
  "controller.shutdown": "Slurm's daemons are not mgpu's to end",
  "feed.submit": "Slurm reads no queue files: mgpu feed needs an mgpu cluster",
  "feed.watch": "Slurm reads no queue files: mgpu feed needs an mgpu cluster",
  "feed.list": "Slurm reads no queue files: mgpu feed needs an mgpu cluster",
  "key.issue": "Slurm has no keys of mgpu's: munge says who you are",
  "key.list": "Slurm has no keys of mgpu's: munge says who you are",
  "network.listen": "Slurm's daemons listen as slurm.conf says",
  "alloc.add": BORROWS,
  "alloc.list": BORROWS,
  "alloc.change": BORROWS,
  "config.show": "slurm.conf is its configuration: mgpu-scontrol show config",
  "cluster.examine": "only mgpu's own node daemons can examine their machines",
};

/** A connection that is never lost: each question is a command of its own. */
export function slurmConnection(handlers: AnyHandlers, version: string, now: () => number): Connected {
  const end = new AbortController();
  let isClosed: (text: string) => void = () => {};
  const closed = new Promise<string>((resolve) => {
    isClosed = resolve;
  });
  const peer: Peer = {
    call: (method, params, options) => ask(handlers, method, [params], end.signal, peer, options) as never,
    stream: (method, params, onItem, options) => {
      const sink: Sink<unknown> = {
        send: async (item) => onItem(item as never),
        unacknowledged: 0,
        onAcknowledged: null,
      };
      return ask(handlers, method, [params, sink], end.signal, peer, options) as never;
    },
    closed,
    close() {
      end.abort();
      isClosed("");
    },
  };
  const answer = { protocol: { major: 0, minor: 0 }, version, pid: 0, startedAt: now() };
  return { peer, answer: answer as unknown as Connected["answer"] };
}

async function ask(
  handlers: AnyHandlers,
  method: Method,
  words: readonly unknown[],
  end: AbortSignal,
  peer: Peer,
  { signal }: CallOptions = {},
): Promise<unknown> {
  const handler = (handlers as Readonly<Record<string, Handler | undefined>>)[method];
  if (handler === undefined) {
    const why = REASONS[method] ?? `${method} is something that only mgpu's own controller does`;
    const hint = "-M local speaks to mgpu's own on this machine; man mgpu-slurm lists the differences";
    throw new RpcError("DISABLED", `the cluster is Slurm: ${why}`, hint);
  }
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  for (const one of [end, signal]) {
    if (one?.aborted) abort();
    else one?.addEventListener("abort", abort);
  }
  const context: CallContext = { peer, hello: null as never, signal: stop.signal };
  const cancelled = new Promise<never>((_, reject) => {
    const give = (): void => reject(new RpcError(end.aborted ? "LOST_CONTACT" : "CANCELLED", ""));
    if (stop.signal.aborted) give();
    else stop.signal.addEventListener("abort", give);
  });
  cancelled.catch(() => {});
  try {
    return await Promise.race([handler(words[0] as never, ...words.slice(1), context), cancelled]);
  } finally {
    for (const one of [end, signal]) one?.removeEventListener("abort", abort);
  }
}
