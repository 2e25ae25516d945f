/** squeue's tables and JSON, byte for byte, from a job in every state. */

import { expect, test } from "vitest";
import { command } from "../../src/cli/commands/squeue.ts";
import { clusterPeer, JOBS } from "./cluster.ts";
import { expectGolden } from "./expect-golden.ts";
import { MORE_JOBS } from "./more-jobs.ts";
import { runOn } from "./run.ts";

/** What clients of Slurm ask for: row 3 and section 5.1 of slurm-surface.md. */
const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["default", []],
  ["long", ["-l"]],
  ["all-states", ["--states=all"]],
  ["all-states-long", ["-lt", "all"]],
  ["noheader", ["-h"]],
  ["bars", ["-t", "all", "-o", "%i|%A|%F|%K|%t|%T|%r|%R|%B|%N|%u|%U|%a|%q|%j|%P|%C|%D"]],
  ["times", ["-t", "all", "-o", "%.6i|%M|%l|%L|%S|%V|%e"]],
  ["resources", ["-t", "all", "-o", "%.6i|%m|%b|%c|%C|%D|%y|%Q|%p|%n|%x|%o|%Z|%v|%k"]],
  ["quotes", ["-o", '"%i","%j","%t","%M","%L","%D","%C","%m","%b","%R"']],
  ["json-like", ["-ho", '{"id": %i, "state": "%T", "user": "%u"}']],
  ["widths", ["-o", "%4i%.4i|%16b|%2t%100j|%.3N|%.3R|%.2M|%.2l|%.3S|%05i|%.i"]],
  ["every-letter", ["-t", "all", "-o", "%all"]],
  ["array-lengths", ["-O", "JobArrayID:,ArrayTaskID:"]],
  ["start", ["--start"]],
  ["start-all-states", ["--start", "-t", "all", "-o", "%i %S %e %Y"]],
  ["steps", ["-s"]],
  ["steps-long", ["-s", "-l"]],
  ["steps-letters", ["-s", "-o", "%i|%A|%b|%j|%l|%M|%N|%P|%S|%u|%U"]],
  ["steps-named", ["-s20.0,21", "-o", "%i %j"]],
  ["fields-width", ["-O", "JobID,Name:.12,State:3,UserName:|,Partition:.0x"]],
  ["fields-suffix", ["-O", "JobID:18|,username:10|,PRIORITY:8|,NodeList:###turm###,"]],
  ["noconvert", ["--noconvert", "-o", "%i %m"]],
  ["sorted-as-slurm", ["-t", "all", "-S", "P,t,-p"]],
  ["sorted", ["-t", "all", "--sort", "u,-M,+i", "-o", "%u %M %i"]],
];

test.each(CASES)("squeue %s", async (name, argv) => {
  const { code, out, err } = await runOn(command, argv, /^(steps|array)/.test(name) ? everyKind() : {});
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`squeue-${name}.txt`, out);
});

test("squeue in another time zone", async () => {
  const { out } = await runOn(command, ["-lt", "R", "-S", "i"], { utcOffsetMinutes: 330 });
  const { out: times } = await runOn(command, ["-t", "R", "-o", "%i %S"], { utcOffsetMinutes: 330 });
  expectGolden("squeue-time-zone.txt", out + times);
});

test("squeue under Slurm's own name is sorted as Slurm sorts", async () => {
  const { out } = await runOn(command, ["-t", "all"], { program: "squeue" });
  expectGolden("squeue-sorted-as-slurm.txt", out);
});

/** Every name of the manual, and those of later releases that clients ask for. */
const FIELDS = (
  "Account AccrueTime admin_comment AllocNodes AllocSID ArrayJobID ArrayTaskID AssocID BatchFlag BatchHost " +
  "BoardsPerNode BurstBuffer BurstBufferState Cluster ClusterFeature Command Comment Contiguous Container Cores " +
  "CoreSpec cpus-per-task cpus-per-tres Deadline DelayBoot Dependency DerivedEC EligibleTime EndTime ExcNodes " +
  "exit_code Feature GroupID GroupName HetJobID HetJobIDSet HetJobOffset JobArrayID JobID LastSchedEval Licenses " +
  "MaxCPUs MaxNodes MCSLabel mem-per-tres MinCpus MinMemory MinTime MinTmpDisk Name Network Nice NodeList NTPerBoard " +
  "NTPerCore NTPerNode NTPerSocket NumCPUs NumNodes NumTasks Origin OriginRaw OverSubscribe Partition PendingTime " +
  "PreemptTime Prefer Priority PriorityLong Profile QOS Reason ReasonList Reboot ReqNodes ReqSwitch Requeue " +
  "Reservation ResizeTime RestartCnt SchedNodes SCT SelectJobInfo SiblingsActive SiblingsActiveRaw SiblingsViable " +
  "SiblingsViableRaw Sockets SPerBoard StartTime State StateCompact STDERR STDIN STDOUT SubmitTime system_comment " +
  "Threads TimeLeft TimeLimit TimeUsed tres-alloc tres-bind tres-freq tres-per-job tres-per-node tres-per-socket " +
  "tres-per-task UserID UserName Wait4Switch WCKey WorkDir"
).split(" ");

const STEP_FIELDS = (
  "ArrayJobID ArrayTaskID Cluster Container CPUFreq cpus-per-tres Gres JobID mem-per-tres Network Nodes NumCPUs " +
  "NumTasks Partition ResvPorts StartTime StepID StepName StepState TimeLimit TimeUsed tres-bind tres-freq " +
  "tres-per-job tres-per-node tres-per-socket tres-per-step tres-per-task UserID UserName"
).split(" ");

/** Every kind of job, and who knows the name of one group. */
const everyKind = () => ({
  controller: clusterPeer({ jobs: [...JOBS, ...MORE_JOBS] }),
  files: { "/etc/group": "root:x:0:\nlab:x:1000:ada,bob\n" },
});

/** One field after the other, each with all rows: long lines would say nothing to a reader. */
async function fieldByField(fields: readonly string[], argv: readonly string[]): Promise<string> {
  const texts = await Promise.all(
    fields.map(async (field) => {
      const { code, out, err } = await runOn(command, [...argv, "-O", `${field}:`], everyKind());
      expect({ field, code, err }).toEqual({ field, code: 0, err: "" });
      return `${field}: ${out.trimEnd().split("\n").join(" | ")}\n`;
    }),
  );
  return texts.join("");
}

test("squeue -O: every field", async () => {
  expectGolden(
    "squeue-every-field.txt",
    await fieldByField(FIELDS, ["-t", "all", "-j", "2,4,11,12,14,16,18,19,20,22"]),
  );
});

test("squeue -s -O: every field of steps", async () => {
  expectGolden("squeue-every-step-field.txt", await fieldByField(STEP_FIELDS, ["-s"]));
});

test("squeue --yaml", async () => {
  const { code, out } = await runOn(command, ["--yaml", "-j", "16,22"], everyKind());
  expect(code).toBe(0);
  expectGolden("squeue-yaml.txt", out);
});

test("squeue -s --json", async () => {
  const { code, out } = await runOn(command, ["-s", "--json"], everyKind());
  expect(code).toBe(0);
  expectGolden("squeue-steps-json.txt", `${JSON.stringify(JSON.parse(out), null, 2)}\n`);
});

test("SLURM_JSON says how a document looks, never what it says", async () => {
  const show = async (SLURM_JSON: string) => {
    return (await runOn(command, ["--json"], { environment: { HOME: "/", SLURM_JSON } })).out;
  };
  const [usual, compact, pretty] = [await show(""), await show("compact"), await show("pretty")];
  expect(JSON.parse(compact)).toEqual(JSON.parse(usual));
  expect(JSON.parse(pretty)).toEqual(JSON.parse(usual));
  expect(compact.trimEnd()).not.toContain("\n");
  expect(pretty.split("\n").length).toBeGreaterThan(usual.split("\n").length);
});

test.each([
  ["relative", "relative"],
  ["weekdays", "%a %T"],
])("squeue with SLURM_TIME_FORMAT: %s", async (name, SLURM_TIME_FORMAT) => {
  const { out } = await runOn(command, ["-t", "all", "-o", "%i %S %e %V"], {
    environment: { HOME: "/", SLURM_TIME_FORMAT },
  });
  expectGolden(`squeue-times-${name}.txt`, out);
});

test("squeue --json", async () => {
  const { code, out } = await runOn(command, ["--json", "-t", "all"], everyKind());
  expect(code).toBe(0);
  expectGolden("squeue-json.txt", `${JSON.stringify(JSON.parse(out), null, 2)}\n`);
});
