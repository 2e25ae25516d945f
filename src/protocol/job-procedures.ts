/** Part of the table of procedures: what is asked of one job. */

import * as v from "valibot";
import type { Explanation } from "../core/explanation.ts";
import { fileWindow, fileWindowAnswer } from "./file-window.ts";
import * as r from "./records.ts";
import * as s from "./schemas.ts";

/** Spread into PROCEDURES. */
export const JOB_PROCEDURES = {
  /** Says something in the output of a job that runs; answers how many outputs took it. */
  "job.notify": {
    on: "controller",
    kind: "unary",
    params: v.object({ jobId: s.positive, message: s.text }),
    result: v.object({ said: s.count }),
  },
  /** The stored script of a batch job. */
  "job.script": {
    on: "controller",
    kind: "unary",
    params: v.object({ jobId: s.positive }),
    result: v.object({ script: s.bytes }),
  },
  /** Why a waiting job waits, in all detail; `null` for one that does not wait (any more). */
  "job.explain": {
    on: "controller",
    kind: "unary",
    params: v.object({
      jobId: s.positive,
      /** Of an array: this task. */
      taskId: v.nullable(s.count),
    }),
    result: v.object({
      explanation: v.nullable(v.custom<Explanation>(r.isRecord, "expected an explanation")),
      now: s.count,
    }),
  },
  /**
   * Part of a file to which a step of a job writes its output, from the node where it lies: for clients on other
   * machines. For the job's owner and root.
   */
  "job.output": {
    on: "controller",
    kind: "unary",
    params: v.object({
      jobId: s.positive,
      stepId: s.stepId,
      node: s.nodeName,
      /** As the job's record names it. */
      path: s.text,
      ...fileWindow,
    }),
    result: fileWindowAnswer,
  },
} as const;
