/** Lines of ours in a step's own output: on the stderr of its first task on this node, wherever that goes. */

import type { StepLaunch } from "../../protocol/holder.ts";
import { OPEN_WAIT_MS } from "./limits.ts";
import { type HolderPorts, within } from "./ports.ts";
import type { Step } from "./step.ts";

/** Where a task's errors go: the client, or a file (absolute). Null for nowhere. */
export type NoticeTarget = { readonly task: number; readonly stream: "out" | "err" } | { readonly path: string } | null;

/** Where lines about a launch go. */
export function noticeTarget({ tasks, workDir, pty }: StepLaunch): NoticeTarget {
  const [first] = tasks;
  if (first === undefined) return null;
  if (pty) return { task: first.task, stream: "out" };
  const isShared = first.stderr.to === "stdout";
  const target = first.stderr.to === "stdout" ? first.stdout : first.stderr;
  if (target.to === "client") return { task: first.task, stream: isShared ? "out" : "err" };
  if (target.to === "null") return null;
  return { path: target.path.startsWith("/") ? target.path : `${workDir}/${target.path}` };
}

/** Says one line. Resolves when that is done, or can't be; never rejects. */
export async function sayToErrors({ clock, log, processes }: HolderPorts, step: Step, text: string): Promise<void> {
  const target = step.noticeTarget;
  if (target === null) return;
  // A terminal's lines end in both.
  if ("stream" in target)
    return step.output.say(target.task, target.stream, `${text}${step.kind === "pty" ? "\r\n" : "\n"}`);
  const late = { problem: { code: "ETIMEDOUT", number: 110, text: "Connection timed out" } };
  const writing = processes.appendText(target.path, `${text}\n`, false);
  const written = await within(clock, OPEN_WAIT_MS, writing, late, () => {});
  if ("problem" in written)
    log.debug("a step's output file can't be written to", { path: target.path, ...written.problem });
}
