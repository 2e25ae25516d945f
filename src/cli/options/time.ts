/** Options of time: how long a job runs, and when it may start. */

import { parseMoment } from "../../core/begin-time.ts";
import { expected, type Parsed } from "../../core/parse.ts";
import { parseSignalSpec } from "../../core/signal-spec.ts";
import { parseTimeLimit } from "../../core/time.ts";
import { ALL, ignored, named, type ReadingFacts, type SubmitOption, WAITERS } from "./record.ts";

const MOMENT = { argument: "required", metavar: "time", directive: true, of: ALL, read: readMoment } as const;

/** Seconds that --immediate waits without a value. */
const IMMEDIATE_S = 1;

export const TIME = [
  {
    long: "time",
    short: "t",
    argument: "required",
    metavar: "limit",
    help: "time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none",
    variables: named("TIMELIMIT"),
    directive: true,
    of: ALL,
    read: parseTimeLimit,
  },
  {
    long: "time-min",
    argument: "required",
    metavar: "limit",
    help: "a shorter limit that will do if the job can start earlier with it",
    directive: true,
    of: ALL,
    read: parseTimeLimit,
  },
  {
    ...MOMENT,
    long: "begin",
    short: "b",
    help: "do not start before: 16:00, tomorrow, now+1hour, 2026-11-21T22:00",
  },
  { ...MOMENT, long: "deadline", help: "give the job up if it can't be over by this time" },
  {
    long: "immediate",
    short: "I",
    argument: "optional",
    metavar: "seconds",
    help: "give up if the job has not started within so many seconds (default 1)",
    variables: named("IMMEDIATE", WAITERS),
    directive: true,
    of: WAITERS,
    read: readImmediate,
  },
  {
    long: "signal",
    argument: "required",
    metavar: "[B:]signal[@seconds]",
    help: "send a signal so many seconds (default 60) before the time limit: to the steps, with B: to the batch shell",
    variables: named("SIGNAL"),
    directive: true,
    of: ALL,
    read: parseSignalSpec,
  },
  ignored("delay-boot", ALL, "nodes are not booted for jobs", {
    variables: named("DELAY_BOOT"),
    check: parseTimeLimit,
  }),
] as const satisfies readonly SubmitOption[];

/** Milliseconds since 1970. */
function readMoment(text: string, { nowMs, utcOffset }: ReadingFacts): Parsed<number> {
  return parseMoment(text, nowMs, utcOffset);
}

function readImmediate(text: string): Parsed<number> {
  if (text === "") return { value: IMMEDIATE_S };
  return /^\d{1,9}$/.test(text) ? { value: Number(text) } : expected("seconds", text);
}
