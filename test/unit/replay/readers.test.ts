/** Traces of every format, whole and damaged. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SpecWriter } from "../../../src/core/brief-specs.ts";
import type { JournalRecord } from "../../../src/core/events.ts";
import { readTrace } from "../../../src/replay/readers/detect.ts";
import { ReplayError, type Trace, type TraceFormat } from "../../../src/replay/trace.ts";

function read(text: string, format: TraceFormat | null = null): Trace {
  return readTrace([{ name: "t", text }], format);
}

function problemsOf(text: string, format: TraceFormat | null = null): readonly string[] {
  try {
    read(text, format);
  } catch (error) {
    if (error instanceof ReplayError) return [...error.problems, error.hint];
    throw error;
  }
  return [];
}

const SWF = `; Version: 2.2
; MaxProcs: 128
; UnixStartTime: 0
  1 10 5 100 4 -1 -1 8 200 -1 1 7 3 -1 1 -1 -1 -1
  2  5 0 300 4 -1 -1 -1 200 -1 1 7 3 -1 1 2 -1 -1
  3 20 0 -1 -1 -1 -1 4 200 -1 5 7 3 -1 1 -1 -1 -1
  4 30 0 50 1 -1 -1 1 -1 -1 1 8 3 -1 1 -1 -1 -1
`;

describe("the Standard Workload Format", () => {
  const trace = read(SWF);
  test("is known by its comments, or by 18 numbers in a line", () => {
    expect(trace.format).toBe("swf");
    expect(read(SWF.split("\n").slice(3).join("\n")).format).toBe("swf");
    expect(trace.processors).toBe(128);
  });
  test("jobs come in the order of their submission; more processors than asked for count", () => {
    expect(trace.jobs.map(({ id, submitS, runS, limitS }) => [id, submitS, runS, limitS])).toEqual([
      ["2", 5, 200, 200],
      ["1", 10, 100, 200],
      ["4", 30, 50, null],
    ]);
    expect(trace.jobs.map(({ wish }) => wish)).toEqual([
      { kind: "cpus", cpus: 4 },
      { kind: "cpus", cpus: 8 },
      { kind: "cpus", cpus: 1 },
    ]);
    expect(trace.jobs[1]).toMatchObject({ user: "7", account: "3", waitedS: 5, name: "" });
    expect(trace.jobs[0]?.name).toBe("partition 2");
  });
  test("jobs that never ran are left out and told of", () => {
    expect(trace.notes).toEqual(["left out: 1 job that never ran"]);
  });
  test("wrong lines are told by number", () => {
    expect(problemsOf("; a log\n1 2 3\n1 10 5 x 4 -1 -1 8 200 -1 1 7 3 -1 1 -1 -1 -1")).toEqual([
      "t, line 2: 3 fields, expected 18",
      "t, line 3: field 4 is no number",
      expect.stringContaining("18 numbers"),
    ]);
  });
});

describe("tables", () => {
  test("of Muri: milliseconds, and an iteration takes 1.015 times as long", () => {
    const { format, jobs } = read(
      "job_id,submit_ms,num_gpu,iterations,iteration_ms,duration_ms,model,event_overhead_s\n0,1500,8,1000,200,200000,dqn,5\n",
    );
    expect(format).toBe("muri");
    expect(jobs).toMatchObject([{ id: "0", submitS: 1.5, eventCostS: 5, name: "dqn", limitS: null }]);
    expect(jobs[0]?.runS).toBeCloseTo(203, 9);
    expect(jobs[0]?.wish).toMatchObject({ kind: "gpus", thousandths: 8000 });
  });
  test("of an SWF log's columns: nobody runs longer than it asked for", () => {
    const { format, jobs } = read("job_id,submit_s,run_s,procs,req_s,user_id,easy_wait_s\n7,0,50,3,40,9,11\n");
    expect(format).toBe("swf-csv");
    expect(jobs).toMatchObject([{ id: "7", runS: 50, limitS: 50, user: "9", waitedS: 11, wish: { cpus: 3 } }]);
  });
  test("of Philly", () => {
    const { format, jobs } = read("job_id,submit_s,duration_s,num_gpu,vc\n0,45,30,2,6214e9\n");
    expect(format).toBe("philly");
    expect(jobs).toMatchObject([{ submitS: 45, runS: 30, account: "6214e9", wish: { thousandths: 2000 } }]);
  });
  test("of openb: parts of GPUs, models, and what never ran to its end is left out", () => {
    const header =
      "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time";
    const { format, jobs, notes } = read(
      `${header}\na,6000,12288,1,460,T4|P100,LS,Running,10,110,30\nb,6000,12288,0,0,,LS,Running,10,110,30\nc,1,1,2,1000,,LS,Pending,10,110,\n`,
    );
    expect(format).toBe("openb");
    expect(jobs).toMatchObject([{ id: "a", submitS: 10, runS: 80, waitedS: 20 }]);
    expect(jobs[0]?.wish).toEqual({
      kind: "gpus",
      thousandths: 460,
      models: ["T4", "P100"],
      cpus: 6,
      memoryMiB: 12_288,
    });
    expect(notes).toEqual(["left out: 1 job without a GPU", "left out: 1 job that never ran, or not to an end"]);
  });
  test("wrong cells are told by line and column, a few at most", () => {
    const rows = Array.from({ length: 7 }, (_, at) => `${at},-1,30,2,v`).join("\n");
    expect(problemsOf(`job_id,submit_s,duration_s,num_gpu,vc\n${rows}\n1,2\n`)).toEqual([
      ...[2, 3, 4, 5, 6].map((at) => `t, line ${at}: submit_s: expected a number that is not negative, got "-1"`),
      "t: 3 more lines like these",
      expect.stringContaining("columns:"),
    ]);
  });
  test("what is no trace is said to be none", () => {
    expect(problemsOf("hello,world\n1,2\n")[0]).toBe('t, line 1: no format that is known begins with "hello,world"');
    expect(problemsOf("job_id,submit_s,duration_s,num_gpu\n")[0]).toBe("t: no job that could be replayed");
  });
});

describe("mgpu's own", () => {
  const journal = readFileSync(join(import.meta.dirname, "../../fixtures/journal/v1/000000000001.jsonl"), "utf8");
  test("journals: what ran to its end, with its request and its limit", () => {
    const { format, jobs, notes } = read(journal);
    expect(format).toBe("mgpu");
    expect(jobs.map(({ id, submitS, runS, limitS, waitedS }) => [id, submitS, runS, limitS, waitedS])).toEqual([
      ["7", 0, 3, null, 53],
      ["4", 2, 1, null, 55],
    ]);
    expect(jobs[0]).toMatchObject({ submitS: 0, user: "ada", name: "train" });
    expect(jobs.every(({ runS, wish }) => runS >= 0 && wish.kind === "request")).toBe(true);
    expect(notes.join()).toContain("left out");
  });
  test("journals that name what jobs have in common once", () => {
    const [header, ...lines] = journal.trimEnd().split("\n");
    const records = lines.map((line) => JSON.parse(line) as JournalRecord);
    const alike = records.find(({ events }) => events[0]?.type === "job.submitted")?.events[0];
    const spec = alike?.type === "job.submitted" ? alike.job.spec : undefined;
    const [full, brief] = [[header], [header]];
    const writer = new SpecWriter();
    for (const record of records) {
      const events = record.events.map((event) =>
        event.type === "job.submitted" && spec ? { ...event, job: { ...event.job, spec } } : event,
      );
      full.push(JSON.stringify({ ...record, events }));
      brief.push(JSON.stringify(writer.record({ ...record, events })));
    }
    expect(brief.join("")).toContain('"as":');
    expect(read(brief.join("\n"))).toEqual(read(full.join("\n")));
    const headless = brief.filter((line) => !line?.includes('"job.submitted"') || line.includes('"as":'));
    expect(problemsOf(headless.join("\n"))[0]).toContain("which can't be read");
  });
  test("a job that journal and accounting both know counts once", () => {
    const once = read(journal);
    const spec = { user: { name: "ada" }, name: "x", request: { gpuIds: [] } };
    const job = {
      id: 99,
      spec,
      submitAt: 1000,
      eligibleAt: 1000,
      startAt: 3000,
      endAt: 8000,
      suspendedMs: 1000,
      limitS: 0,
    };
    const line = `${JSON.stringify({ v: 1, job })}\n`;
    const both = readTrace(
      [
        { name: "j", text: journal },
        { name: "a", text: line + line },
      ],
      null,
    );
    expect(both.jobs.length).toBe(once.jobs.length + 1);
    expect(both.jobs[0]).toMatchObject({ id: "99", submitS: 0, waitedS: 2, runS: 4, limitS: null });
  });
  test("other JSON is refused by line", () => {
    expect(problemsOf('{"mgpu":"journal","v":1}\n{"a":1}\nnope\n')).toEqual([
      "t, line 2: no record of mgpu's",
      "t, line 3: no JSON",
      expect.stringContaining("accounting"),
    ]);
  });
});
