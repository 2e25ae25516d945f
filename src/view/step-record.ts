/** A step as `scontrol show step` prints it. */

import { fold } from "../core/hostlist.ts";
import { type RunningJob, type Step, stepLimit } from "../core/job.ts";
import { UNLIMITED } from "../core/jobspec.ts";
import { clockTime, moment, orUnset, type RecordLines, type RecordTime, UNSET } from "./record-text.ts";
import { partsTres } from "./tres.ts";

/** The record's pairs, by line. */
export function stepRecord(job: RunningJob, step: Step, partition: string, time: RecordTime): RecordLines {
  const program = step.spec ?? job.spec;
  const limitS = stepLimit(step);
  const nodes = fold(step.parts.map(({ node }) => node));
  const distribution =
    typeof program.distribution === "string" ? program.distribution : Object.keys(program.distribution)[0];
  return [
    [
      ["StepId", `${job.id}.${step.id}`],
      ["UserId", job.spec.user.uid],
      ["StartTime", moment(step.startAt, time)],
      ["TimeLimit", limitS === UNLIMITED ? "UNLIMITED" : clockTime(limitS)],
    ],
    [
      ["State", step.state],
      ["Partition", partition],
      ["NodeList", orUnset(nodes)],
    ],
    [
      ["Nodes", step.parts.length],
      ["CPUs", step.parts.reduce((sum, part) => sum + part.cpus, 0)],
      ["Tasks", step.parts.reduce((sum, part) => sum + part.tasks.length, 0)],
      ["Name", step.name],
      ["Network", UNSET],
    ],
    [["TRES", partsTres(step.parts)]],
    [["ResvPorts", UNSET]],
    [
      ["CPUFreqReq", "Default"],
      ["Dist", capitalized(distribution ?? "block")],
    ],
    [["SrunHost:Pid", `${step.spec?.submitHost ?? job.spec.submitHost}:0`]],
  ];
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
