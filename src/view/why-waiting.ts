/** A waiting job's explanation as text for people: the blocker, nodes, holders, queue, start, and what would change it. */

import type { Amounts, Change, Explanation, Holder, NodeFinding, NodeVerdict } from "../core/explanation.ts";
import { fold } from "../core/hostlist.ts";
import { formatTimestamp } from "../core/time.ts";
import { shellWord } from "../util/shell-word.ts";
import { formatMemory } from "./amounts.ts";
import type { RecordTime } from "./record-text.ts";
import { textTable } from "./text-table.ts";

const FINDINGS: Readonly<Record<NodeFinding, string>> = {
  free: "has room",
  busy: "busy",
  small: "too small",
  barred: "not for it",
  away: "away",
};

/** Of a component of a heterogeneous job: what it asks for and where; all start together, as the first one's text says. */
export function componentText(found: Explanation, time: RecordTime): string {
  return [
    `  component ${found.label} asks for ${found.request} in partition ${found.partition}\n`,
    section("  Nodes", indent(nodesText(found))),
    section("  Held by", indent(holdersText(found, time))),
  ].join("");
}

/** The paragraphs after the job's own line, each line indented. */
export function waitingText(found: Explanation, time: RecordTime): string {
  const parts = [
    found.reasonText === "" ? "" : `  ${found.reasonText}\n`,
    `  asks for ${found.request} in partition ${found.partition}\n`,
    section("Nodes", nodesText(found)),
    section("Held by", holdersText(found, time)),
    section("Queue", queueText(found)),
    section("Allocations", (found.allocations ?? []).map((line) => `${line}\n`).join("")),
    section("Start", startText(found, time)),
    section("To start it now", changesText(found)),
  ];
  return parts.join("");
}

function section(title: string, text: string): string {
  return text === "" ? "" : `${title}\n${indent(text)}`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

/** Nodes about which the same is to be said share a line. */
function nodesText({ nodes, nodesOmitted }: Explanation): string {
  const groups = new Map<string, NodeVerdict[]>();
  for (const verdict of nodes) {
    const key = `${verdict.finding} ${verdict.lacks.join()} ${JSON.stringify([verdict.free, verdict.total])}`;
    groups.set(key, [...(groups.get(key) ?? []), verdict]);
  }
  const rows = [...groups.values()].flatMap((group) => {
    const [one] = group;
    if (!one) return [];
    const names = fold(group.map(({ node }) => node));
    return [[names, FINDINGS[one.finding], amountsText(one.free, one.total), lacksText(one)]];
  });
  if (rows.length === 0) return "no node ever registered\n";
  const more = nodesOmitted > 0 ? `and ${nodesOmitted} more nodes\n` : "";
  return textTable(["NODE", "", "FREE", ""], rows) + more;
}

function lacksText({ finding, lacks }: NodeVerdict): string {
  const text = lacks.join("; ");
  return finding === "busy" || finding === "small" ? `lacks ${text}` : text;
}

function amountsText(free: Amounts, total: Amounts): string {
  const gpus = Object.entries(total.gpus).map(([type, count]) => `${free.gpus[type] ?? 0}/${count} ${type}`);
  return [...gpus, `${free.cpus}/${total.cpus} CPUs`, formatMemory(free.memoryMiB)].join(", ");
}

function holdersText({ holders, holdersOmitted }: Explanation, time: RecordTime): string {
  if (holders.length === 0) return "";
  const rows = holders.map((holder) => [
    ...[holder.label, holder.user, holder.nodeList, String(holder.gpus), String(holder.cpus)],
    ...[formatMemory(holder.memoryMiB), untilText(holder, time)],
  ]);
  const more = holdersOmitted > 0 ? `and ${holdersOmitted} more jobs\n` : "";
  return textTable(["JOB", "USER", "NODES", "GPUS", "CPUS", "MEMORY", "UNTIL"], rows) + more;
}

function untilText({ until, state }: Holder, { utcOffset }: RecordTime): string {
  if (state === "COMPLETING") return "is being cleared away";
  return until === null ? "no time limit" : `${formatTimestamp(until, utcOffset)} at the latest`;
}

function queueText({ place }: Explanation): string {
  if (place === null) return "";
  const { position, of, ahead } = place;
  const lines = [`${position} of ${of} that may start`];
  if (ahead.length > 0) {
    lines.push("before it:");
    for (const job of ahead) lines.push(`  ${job.label} (${job.user}): ${job.request}`);
    if (position - 1 > ahead.length) lines.push(`  and ${position - 1 - ahead.length} more`);
  }
  return `${lines.join("\n")}\n`;
}

function startText({ forecast }: Explanation, { utcOffset, nowMs }: RecordTime): string {
  const { startAt, nodeList, why } = forecast;
  if (startAt === null) return `not known: ${why}\n`;
  // Of a job that waits for a time no pass has looked for nodes yet.
  const where = nodeList === "" ? "" : `, on ${nodeList}`;
  if (startAt <= nowMs) return `any moment${where}\n`;
  return `${formatTimestamp(startAt, utcOffset)} at the latest${where}, unless other jobs come before it\n`;
}

function changesText({ changes, isCut, forecast }: Explanation): string {
  const [best, ...others] = changes;
  if (!best) {
    if (isCut) return "the search was cut short: the controller is busy\n";
    return forecast.startAt !== null && forecast.why === "" && forecast.nodeList !== ""
      ? "no single change of the job would do\n"
      : "no single change of the job would do; the nodes or other jobs must change first\n";
  }
  return changeText(best) + others.map((change) => `or ${changeText(change)}`).join("");
}

function changeText({ words, commands }: Change): string {
  return `${words}:\n${commands.map((command) => `  ${command.map(shellWord).join(" ")}\n`).join("")}`;
}
