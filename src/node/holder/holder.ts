/**
 * mgpu-stepd: owns the pipes, terminals and exit statuses of the steps that run on this machine, and outlives the
 * node daemon. One holder runs any number of steps; how many share one is up to the node daemon.
 *
 * Promises: no output is lost and memory stays flat, whatever clients do; exits are exact; a step ends only when its
 * processes are gone; a launch is all or nothing.
 */

import { RpcError } from "../../protocol/errors.ts";
import type { Handlers } from "../../rpc/types.ts";
import { SHUTDOWN_ANSWER_MS } from "./limits.ts";
import type { HolderPorts } from "./ports.ts";
import { jobPrefix, Registry } from "./registry.ts";
import { Signals } from "./signals.ts";
import { checkLaunch } from "./start-step.ts";
import { Watchers } from "./watchers.ts";

export type { HolderPorts } from "./ports.ts";

export interface Holder {
  readonly handlers: Handlers<"holder">;
  /** Resolves after a shutdown that was agreed to: close the server, and end. */
  readonly ended: Promise<void>;
  /** Lets go of all pipes and terminals at once; their programs see them closed. Batch scripts go on. */
  close(): void;
}

/** Makes a holder; nothing happens before its handlers are called. */
export function createHolder(ports: HolderPorts): Holder {
  const watchers = new Watchers();
  const registry = new Registry(ports, watchers);
  const signals = new Signals(ports, registry);
  let isEnding = false;
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    ended,
    handlers: { ...holderHandlers(), ...stepHandlers() },
    close() {
      registry.close();
      ports.processes.close();
    },
  };

  function holderHandlers(): Pick<Handlers<"holder">, Extract<keyof Handlers<"holder">, `holder.${string}`>> {
    const describeAll = () => registry.all().map((step) => step.describe());
    return {
      "holder.status": () => ({ steps: describeAll() }),
      "holder.launch": async (launch) => {
        if (isEnding) throw new RpcError("SHUTTING_DOWN", "this holder is ending", "start another one");
        checkLaunch(launch);
        return (await registry.launch(launch)).describe();
      },
      "holder.watch": (_params, sink, { signal }) => watchers.serve(describeAll(), sink, signal),
      "holder.signal": ({ key, signal, tree }) => ({ signalled: signals.send(key, signal, tree) }),
      "holder.terminate": async (request) => {
        await signals.terminate(request);
        ports.log.info("job terminated", { job: jobPrefix(request) });
        return {};
      },
      "holder.forget": ({ key }) => {
        registry.forget(key);
        return {};
      },
      "holder.shutdown": () => {
        if (!registry.isIdle) return { ending: false };
        isEnding = true;
        ports.clock.after(SHUTDOWN_ANSWER_MS, end);
        return { ending: true };
      },
    };
  }

  function stepHandlers(): Pick<Handlers<"holder">, Extract<keyof Handlers<"holder">, `step.${string}`>> {
    return {
      "step.attach": async ({ key, token }, sink, { signal }) => {
        const step = await registry.await(key, token, signal);
        try {
          await step.output.attach(sink, signal, step.isStarted ? step.tasks : null);
        } finally {
          registry.review();
        }
        return { exits: step.taskExits(), problem: step.problem };
      },
      "step.input": async ({ key, token, ...part }, { signal }) => {
        await registry.require(key, token).input.accept(part, signal);
        return {};
      },
      "step.resize": ({ key, token, columns, rows }) => {
        registry.require(key, token).resize(columns, rows);
        return {};
      },
      "step.signal": ({ key, token, signal }) => {
        registry.require(key, token);
        signals.send(key, signal, true);
        return {};
      },
    };
  }
}
