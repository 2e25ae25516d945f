/** What the session of an srun is to do, by its options. */

import type { JobRequest } from "../../../core/jobspec.ts";
import { DEFAULT_PREFIX } from "../../attach/detach-keys.ts";
import { AT_ONCE_S } from "../../attach/immediate.ts";
import type { SessionPlan } from "../../attach/session-plan.ts";
import { silencePlan } from "../../attach/silence.ts";
import { isSlurmName } from "../../connect.ts";
import type { CommandContext } from "../../context.ts";
import type { SubmitValues } from "../../options/submit.ts";

/** What the session needs to know beyond the names of what it follows; of a job or a step alike. */
export function sessionPlan(
  values: SubmitValues,
  { io, pty, onDisconnect }: Pick<JobRequest, "io" | "pty" | "onDisconnect">,
  { program }: CommandContext,
): Omit<SessionPlan, "jobId" | "stepId" | "tasks"> {
  const { immediate } = values;
  // Slurm's own has no such keys, and passes every signal on.
  const isSlurm = isSlurmName(program);
  const { byte: detachKey } = values["detach-keys"] ?? { byte: isSlurm ? null : DEFAULT_PREFIX };
  return {
    label: io.label,
    terminal: pty && { size: pty, mode: "write", scrollback: 0, fromStart: true, detachKey },
    silence: silencePlan(values),
    warnsBeforeEnd: values["session-timeout"] !== undefined,
    ownsJob: true,
    onDisconnect: onDisconnect ?? (isSlurm ? "kill" : "detach"),
    isReasonStreamed: isReasonStreamed({ io, pty }),
    input: inputOf(io),
    quiet: values.quiet ?? false,
    verbose: (values.verbose ?? 0) > 0,
    lastTasks: { killOnBadExit: values["kill-on-bad-exit"] ?? false, waitS: values.wait ?? 0 },
    interrupt: values["quit-on-interrupt"] ? "quit" : values["disable-status"] ? "pass" : "status",
    immediateS: immediate === undefined ? null : Math.max(AT_ONCE_S, immediate),
  };
}

/** Whether the first task's stderr comes here, where its holder says why it is ended. A terminal is not told. */
function isReasonStreamed({ io, pty }: Pick<JobRequest, "io" | "pty">): boolean {
  const target = io.stderr ?? io.stdout ?? "all";
  return pty === null && (target === "all" || target === "0");
}

/** Who reads our input: tasks whose input is a file or nothing don't. */
function inputOf(io: JobRequest["io"]): SessionPlan["input"] {
  if (io.stdin === "all") return "all";
  return /^\d+$/.test(io.stdin) ? Number(io.stdin) : null;
}
