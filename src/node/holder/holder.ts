/**
 * mgpu-stepd: owns the pipes, terminals and exit statuses of the steps that run on this machine, and outlives the
 * node daemon. One holder runs any number of steps; how many share one is up to the node daemon.
 *
 * Promises: no output is lost and memory stays flat, whatever clients do; exits are exact; a step ends only when its
 * processes are gone; a launch is all or nothing.
 */

import { RpcError } from "../../protocol/errors.ts";
import type { Result } from "../../protocol/procedures.ts";
import type { Handlers } from "../../rpc/types.ts";
import { watchIdleness } from "./idle-watch.ts";
import { Leaving } from "./leaving.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { passMessage } from "./notices.ts";
import type { HolderPorts } from "./ports.ts";
import { jobPrefix, Registry } from "./registry.ts";
import { Signals } from "./signals.ts";
import { checkLaunch } from "./start-step.ts";
import { StepTerminations } from "./step-termination.ts";
import { UsageWatch } from "./usage-watch.ts";
import { Watchers } from "./watchers.ts";

export type { HolderPorts } from "./ports.ts";

export interface Holder {
  readonly handlers: Handlers<"holder">;
  /** Resolves once it is to end: close the server, and exit. */
  readonly ended: Promise<void>;
  readonly leaving: Pick<Leaving, "leave" | "leaveIfUseless">;
  /** Lets go of all pipes and terminals at once; their programs see them closed. Batch scripts go on. */
  close(): void;
}

type HandlersOf<Prefix extends string> = Pick<
  Handlers<"holder">,
  Extract<keyof Handlers<"holder">, `${Prefix}.${string}`>
>;

/** Makes a holder; nothing happens before its handlers are called. */
export function createHolder(ports: HolderPorts): Holder {
  const watchers = new Watchers();
  const registry = new Registry(ports, watchers);
  const signals = new Signals(ports, registry);
  const memory = new MemoryWatch(ports, registry);
  const usage = new UsageWatch(ports, registry);
  const leaving = new Leaving(ports, registry);
  return {
    ended: leaving.ended,
    leaving,
    handlers: {
      ...holderHandlers(ports, registry, watchers, signals, [memory, usage], leaving),
      "holder.usage": ({ jobId, attempt }) => usageHandler(registry, usage, jobPrefix({ jobId, attempt })),
      ...stepHandlers(registry, signals),
    },
    close() {
      memory.close();
      usage.close();
      registry.close();
      ports.processes.close();
    },
  };
}

/** What the node daemon asks for. */
function holderHandlers(
  ports: HolderPorts,
  registry: Registry,
  watchers: Watchers,
  signals: Signals,
  watches: readonly (MemoryWatch | UsageWatch)[],
  leaving: Leaving,
): Omit<HandlersOf<"holder">, "holder.usage"> {
  const steps = new StepTerminations(ports, registry);
  return {
    "holder.status": () => ({ steps: registry.describeAll() }),
    "holder.launch": async (launch) => {
      if (leaving.isEnding) throw new RpcError("SHUTTING_DOWN", "this holder is ending", "start another one");
      checkLaunch(launch);
      leaving.stay();
      const step = await registry.launch(launch);
      for (const watch of watches) watch.review();
      watchIdleness(ports, step, steps);
      return step.describe();
    },
    "holder.go": ({ key }) => {
      registry.find(key)?.gate?.open();
      return {};
    },
    "holder.watch": (_params, sink, { signal }) => watchers.serve(registry.describeAll(), sink, signal),
    "holder.signal": ({ key, signal, tree }) => ({ signalled: signals.send(key, signal, tree) }),
    "holder.terminate": async (request) => {
      const { jobId, attempt, stepId, killWaitMs, notice } = request;
      if (stepId === undefined) await signals.terminate(request);
      else await steps.end({ jobId, attempt, stepId }, killWaitMs, notice);
      ports.log.debug("job terminated", { job: `${jobPrefix(request)}${stepId ?? ""}` });
      return {};
    },
    "holder.notify": async ({ key, message, spool }) => ({
      said: await passMessage(ports, registry.find(key), message, spool),
    }),
    "holder.forget": ({ key }) => {
      registry.forget(key);
      return {};
    },
    "holder.release": ({ keys }) => {
      for (const key of keys) if (registry.find(key)?.phase === "ended") registry.forget(key);
      return {};
    },
    "holder.shutdown": ({ discard }) => ({ ending: leaving.agree(discard ?? false) }),
  };
}

/** What the running steps of a job used so far, with their processes. */
function usageHandler(registry: Registry, watch: UsageWatch, prefix: string): Result<"holder.usage"> {
  const found = watch.look();
  const steps = registry.all().filter(({ name, phase }) => phase === "running" && name.startsWith(prefix));
  return {
    steps: steps.map(({ key, name, used }) => {
      const pids = (found.get(name) ?? []).map(({ pid }) => pid);
      const usage = used.total;
      return { key, pids, ...(usage ? { usage } : {}) };
    }),
  };
}

/** What a step's client asks for; each call shows the step's token. */
function stepHandlers(registry: Registry, signals: Signals): HandlersOf<"step"> {
  return {
    "step.attach": async ({ key, token, view }, sink, { signal }) => {
      const step = await registry.await(key, token, signal);
      try {
        await step.output.attach(sink, signal, step.isStarted ? step.tasks : null, view);
      } finally {
        registry.review();
      }
      return { exits: step.taskExits(), problem: step.problem };
    },
    "step.watch": async ({ key, token }, sink, { signal }) => {
      const step = registry.open(key, token);
      await step.output.watch(sink, signal, step.isStarted ? step.tasks : null);
      return { exits: step.taskExits(), problem: step.problem };
    },
    "step.input": async ({ key, token, ...part }, { signal }) => {
      const step = registry.open(key, token);
      if (step.terminal?.mayType(part.client) === false) {
        throw new RpcError("READ_ONLY", "somebody else types into this session");
      }
      step.terminal?.typed();
      await step.input.accept(part, signal);
      return {};
    },
    "step.resize": ({ key, token, client, columns, rows }) => {
      const { terminal } = registry.open(key, token);
      if (terminal?.mayType(client)) terminal.resize(columns, rows);
      return {};
    },
    "step.redraw": ({ key, token, client }) => {
      registry.open(key, token).terminal?.redraw(client);
      return {};
    },
    "step.terminal": ({ key, token }) => {
      const { terminal, name } = registry.open(key, token);
      if (!terminal) throw new RpcError("BAD_PARAMS", `step ${name} has no terminal`);
      return terminal.status();
    },
    "step.signal": ({ key, token, signal }) => {
      registry.open(key, token);
      signals.send(key, signal, true);
      return {};
    },
  };
}
