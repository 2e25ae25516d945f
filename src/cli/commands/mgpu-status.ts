/** mgpu status: each daemon and how the queue stands. Never starts anything; exit code 1 unless all is well. */

import { sleep } from "../../platform/clock.ts";
import type { Result } from "../../protocol/procedures.ts";
import { daemonTable } from "../../view/cluster-text.ts";
import type { Command, CommandContext } from "../context.ts";
import { NoController } from "../dial.ts";
import type { ParsedOptions } from "../option.ts";
import { endingText } from "../output/ending.ts";

type Status = Result<"controller.status">;

export const command: Command = {
  name: "mgpu status",
  summary: "Show mgpu's daemons and how the queue stands; exit code 1 if something is wrong",
  synopsis: "[OPTIONS...]",
  options: [
    { long: "json", argument: "none", help: "print JSON" },
    { long: "detailed", argument: "none", help: "also each job and each node in words, as mgpu queue has them" },
    { long: "watch", argument: "none", help: "again every two seconds, until Ctrl-C" },
  ],
  operands: "permute",
  examples: ["mgpu status", "mgpu status --json"],
  async run(parsed, context) {
    if (!parsed.values.has("watch")) return showOnce(parsed, context);
    for (;;) {
      await showOnce(parsed, context);
      context.stdio.out("\n");
      await sleep(context.clock, WATCH_MS);
    }
  },
};

/** Between two looks of --watch. */
const WATCH_MS = 2000;

async function showOnce(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const isJson = parsed.values.has("json");
  const status = await readStatus(isJson, context);
  if (status === null) return 1;
  const { stdio } = context;
  const problems = problemsOf(status);
  const text = isJson ? jsonText({ running: true, ...status, problems }) : statusText(status, problems, context);
  stdio.out(text);
  if (parsed.values.has("detailed") && !isJson) {
    stdio.out("\n");
    const { command: queue } = await import("./mgpu-queue.ts");
    await queue.run(parsed, context);
  }
  return problems.length === 0 ? 0 : 1;
}

/** `null` after a JSON reader was told that there is no controller; everybody else gets the error. */
async function readStatus(isJson: boolean, context: CommandContext): Promise<Status | null> {
  try {
    const { peer } = await context.connect({ start: false });
    try {
      return await peer.call("controller.status", {});
    } finally {
      peer.close();
    }
  } catch (error) {
    if (!isJson || !(error instanceof NoController)) throw error;
    const { message, isNobodyThere } = error;
    context.stdio.out(jsonText({ running: !isNobodyThere, problem: message, problems: [message] }));
    return null;
  }
}

/** A controller of an older version tells of one problem at most. */
function problemsOf({ problem, problems }: Status): readonly string[] {
  return problems ?? [problem].filter(Boolean);
}

function statusText(status: Status, problems: readonly string[], context: CommandContext): string {
  const { pending, running, ended } = status.jobs;
  const lines = [
    `jobs     ${running} running, ${pending} waiting, ${ended} ended`,
    `cluster  ${status.clusterName}`,
    `state    ${status.stateFolder}`,
    `socket   ${status.socket}`,
    ...(status.ending ? [`ending   ${endingText(status.ending, context)}`] : []),
    ...problems.map((problem) => `problem  ${problem}`),
  ];
  return `${daemonTable(status.daemons, context.clock.now())}\n${lines.join("\n")}\n`;
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
