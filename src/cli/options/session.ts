/** Options of interactive sessions: their terminal, and what becomes of them when nobody is there. */

import { expected, type Parsed } from "../../core/parse.ts";
import { parseDetachKey } from "../attach/detach-keys.ts";
import { atLeastOne, flag } from "./readers.ts";
import { RUNNERS, SRUN } from "./record.ts";

export const SESSION = [
  {
    long: "pty",
    argument: "none",
    help: "run the task in a terminal of its own, to which mgpu-sattach comes back",
    directive: true,
    of: RUNNERS,
    read: flag,
  },
  {
    long: "no-pty",
    argument: "none",
    help: "never use a terminal; by default mgpu-srun does when one task is run from a terminal",
    of: SRUN,
    read: flag,
  },
  {
    long: "detach-keys",
    argument: "required",
    metavar: "key",
    help: 'key before d (detach), k (kill), ? (help) in a session: ctrl-\\ (default), ctrl-a ..., or "none"',
    variables: { srun: "MGPU_DETACH_KEYS" },
    of: SRUN,
    read: readDetachKey,
  },
  {
    long: "on-disconnect",
    argument: "required",
    metavar: "detach|kill",
    help: "what becomes of the job when its client is gone (default: detach with a terminal, else kill)",
    variables: { srun: "MGPU_ON_DISCONNECT" },
    of: SRUN,
    read: readOnDisconnect,
  },
  {
    long: "session-timeout",
    argument: "required",
    metavar: "seconds",
    help: "end the job so long after its start, with a warning before",
    variables: { srun: "MGPU_SESSION_TIMEOUT" },
    of: SRUN,
    read: atLeastOne,
  },
  {
    long: "connection-timeout",
    argument: "required",
    metavar: "seconds",
    help: "give up each attempt to connect after so long",
    variables: { srun: "MGPU_CONNECTION_TIMEOUT" },
    of: SRUN,
    read: atLeastOne,
  },
  {
    long: "max-wait-time",
    argument: "required",
    metavar: "seconds",
    help: "say that the job is alive whenever it has printed nothing for so long",
    variables: { srun: "MGPU_MAX_WAIT_TIME" },
    of: SRUN,
    read: atLeastOne,
  },
  {
    long: "max-consecutive-timeouts",
    argument: "required",
    metavar: "count",
    help: "leave the job to itself after so many such silences in a row (30 with --max-wait-time)",
    variables: { srun: "MGPU_MAX_CONSECUTIVE_TIMEOUTS" },
    of: SRUN,
    read: atLeastOne,
  },
  {
    long: "exit-on-silence",
    argument: "none",
    help: "leave the job to itself at the first such silence (after 300 s without --max-wait-time)",
    of: SRUN,
    read: flag,
  },
  {
    long: "inactivity-timeout",
    argument: "required",
    metavar: "seconds",
    help: "end a session into which nobody typed and which printed nothing for so long",
    variables: { srun: "MGPU_INACTIVITY_TIMEOUT" },
    of: RUNNERS,
    directive: true,
    read: atLeastOne,
  },
] as const;

function readDetachKey(text: string): Parsed<{ readonly byte: number | null }> {
  const byte = parseDetachKey(text);
  return byte === undefined ? expected("a key such as ctrl-\\ or ctrl-a, or none", text) : { value: { byte } };
}

function readOnDisconnect(text: string): Parsed<"detach" | "kill"> {
  return text === "detach" || text === "kill" ? { value: text } : expected("detach or kill", text);
}
