/** The part of the table of procedures that holders answer: to their node daemon, and to the clients of steps. */

import * as v from "valibot";
import { holderStep, stepLaunch, terminateDetails } from "./holder.ts";
import * as r from "./records.ts";
import * as s from "./schemas.ts";

const nothing = v.object({});

/** Spread into PROCEDURES. */
export const HOLDER_PROCEDURES = {
  "holder.status": {
    on: "holder",
    kind: "unary",
    params: nothing,
    result: v.object({ steps: v.array(holderStep) }),
  },
  /** Starts processes. A step that can't start is not an error of the call: it is `ended` with a problem. */
  "holder.launch": { on: "holder", kind: "unary", params: stepLaunch, result: holderStep },
  /** The tasks of a step are in its control group, or are to do without: their programs start. */
  "holder.go": { on: "holder", kind: "unary", params: v.object({ key: s.stepKey }), result: nothing },
  /** Each change of a step's phase, the present ones first. */
  "holder.watch": { on: "holder", kind: "stream", params: nothing, item: holderStep, result: nothing },
  /** Signals a step's processes: the first process of each task (`tree` false) or all of them. */
  "holder.signal": {
    on: "holder",
    kind: "unary",
    params: v.object({ key: s.stepKey, signal: s.positive, tree: v.boolean() }),
    result: v.object({ signalled: s.count }),
  },
  /** The same for one step. `spool` is the folder of a batch script, which this holder need not have started. */
  "holder.notify": {
    on: "holder",
    kind: "unary",
    params: v.object({ key: s.stepKey, message: s.text, spool: v.nullable(s.text) }),
    result: v.object({ said: v.boolean() }),
  },
  /** Ends every process of a job: CONT and TERM, KILL after `killWaitMs`; answers when none is left. */
  "holder.terminate": {
    on: "holder",
    kind: "unary",
    params: v.object({
      jobId: s.positive,
      attempt: s.positive,
      /** Of this step only. */
      stepId: v.optional(s.stepId),
      killWaitMs: s.count,
      ...terminateDetails,
    }),
    result: nothing,
  },
  /** The node daemon has an ended step's status on disk: the holder may forget it once its output is collected. */
  "holder.forget": { on: "holder", kind: "unary", params: v.object({ key: s.stepKey }), result: nothing },
  /** The same of several; those that still run are left as they are. Holders of earlier versions know only the one before. */
  "holder.release": { on: "holder", kind: "unary", params: v.object({ keys: v.array(s.stepKey) }), result: nothing },
  /**
   * Ends the holder if nothing runs in it and no output waits for its client; answers whether it will. With `discard`,
   * only clients that are attached are waited for, and not for long.
   */
  "holder.shutdown": {
    on: "holder",
    kind: "unary",
    params: v.object({ discard: v.optional(v.boolean()) }),
    result: v.object({ ending: v.boolean() }),
  },

  /**
   * The streams of a step's tasks on this node. Waits for a step that is still to be launched. Output that no
   * earlier attach acknowledged is sent first; `offset` lets a client drop what it has. Ends with the exits.
   * With a `view` of a terminal: from where it says, or from its screen if that is no longer kept.
   */
  "step.attach": {
    on: "holder",
    kind: "stream",
    params: v.object({ key: s.stepKey, token: s.name, view: v.optional(r.terminalView) }),
    item: r.attachItem,
    result: r.attachResult,
  },
  /** Looks on at a step that runs, from now on, beside its client: what is not taken in time is dropped. */
  "step.watch": {
    on: "holder",
    kind: "stream",
    params: v.object({ key: s.stepKey, token: s.name }),
    item: r.attachItem,
    result: r.attachResult,
  },
  /** Input for a task (`null`: for all). Answered when there is room for more. `eof` closes it. */
  "step.input": {
    on: "holder",
    kind: "unary",
    params: v.object({
      key: s.stepKey,
      token: s.name,
      task: v.nullable(s.count),
      /** Who sends it, where it is not the step's own client. */
      client: v.optional(s.name),
      /** Position of the first byte in the client's input: a repeated part is dropped. */
      offset: s.count,
      data: s.bytes,
      eof: v.boolean(),
    }),
    result: nothing,
  },
  "step.resize": {
    on: "holder",
    kind: "unary",
    params: v.object({
      key: s.stepKey,
      token: s.name,
      /** Who has that size: who only looks on changes nothing. */
      client: v.optional(s.name),
      columns: s.positive,
      rows: s.positive,
    }),
    result: nothing,
  },
  /** Sends the viewer of that name the whole screen once more. */
  "step.redraw": {
    on: "holder",
    kind: "unary",
    params: v.object({ key: s.stepKey, token: s.name, client: s.name }),
    result: nothing,
  },
  /** Of a step with a terminal. */
  "step.terminal": {
    on: "holder",
    kind: "unary",
    params: v.object({ key: s.stepKey, token: s.name }),
    result: r.terminalStatus,
  },
  /** A signal from the srun that runs the step, passed on without the controller. */
  "step.signal": {
    on: "holder",
    kind: "unary",
    params: v.object({ key: s.stepKey, token: s.name, signal: s.positive }),
    result: nothing,
  },
} as const;
