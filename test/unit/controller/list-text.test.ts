/** Lists that the controller writes for squeue: byte for byte what squeue itself makes of rows. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/squeue.ts";
import type { ControllerContext } from "../../../src/controller/context.ts";
import { listHandler } from "../../../src/controller/handlers/list.ts";
import type { Job } from "../../../src/core/job.ts";
import { DEFAULT_PARTITION } from "../../../src/core/partition.ts";
import { fromStored } from "../../../src/core/state.ts";
import { realClock } from "../../../src/platform/clock.ts";
import type { Item, Params } from "../../../src/protocol/procedures.ts";
import { toJobRow } from "../../../src/view/job-row.ts";
import { JOBS, NOW, pending, specOf } from "../../golden/cluster.ts";
import { MORE_JOBS } from "../../golden/more-jobs.ts";
import { runOn } from "../../golden/run.ts";
import { type FakeOptions, fakePeer } from "../cli/fake-context.ts";

const ODD = specOf({ name: "naïve\u001b[31m 漢字 😀", comment: '"\\ \u0007', workDir: "/tmp/ü", wckey: "w" });

/** So many that a list has several chunks. */
const MANY = Array.from({ length: 1500 }, (_, index) =>
  pending(1000 + index, index % 7 === 0 ? ODD : specOf({ name: `n${index % 3}` }), NOW - index),
);

const QUEUE: readonly Job[] = [...JOBS, ...MORE_JOBS, ...MANY];

interface Asked {
  /** Whether the controller may write text. */
  readonly isText: boolean;
  readonly privateData?: readonly string[];
  readonly uid?: number;
}

function factsOf({ id }: Job) {
  return { reason: id % 2 ? "Priority" : "None", reasonText: "waits", partition: "main", dependency: "", priority: id };
}

/** A controller with this queue, and what it sent. */
function controllerWith({ isText, privateData = [], uid = 1000 }: Asked) {
  const sent: Item<"jobs.list">[] = [];
  const state = fromStored({ seq: 1, nextJobId: 9000, jobs: QUEUE, nodes: [], partitions: [DEFAULT_PARTITION] });
  const context = {
    loop: { state },
    clock: { ...realClock(), now: () => NOW },
    settings: { privateData },
    identity: { user: { uid: 0, name: "root" } },
    isConnected: () => true,
    factsOf,
    rowOf: (job: Job) => toJobRow(job, factsOf(job)),
  } as unknown as ControllerContext;
  const list = listHandler(context);
  const hello = { user: { uid, gid: 1, name: "ada" }, caller: { grade: "user" } };
  const peer = fakePeer({
    "jobs.list": ({ form, ...asked }: Params<"jobs.list">, send) => {
      const take = async (item: Item<"jobs.list">): Promise<void> => {
        sent.push(item);
        await send(item);
      };
      const sink = { send: take, unacknowledged: 0, onAcknowledged: null };
      return list({ ...asked, ...(isText && form ? { form } : {}) }, sink, { hello } as never);
    },
    "controller.status": () => ({ clusterName: "lab" }) as never,
  });
  return { peer, sent };
}

/** Runs squeue with and without text from the controller; the output, and how much of it was such text. */
async function both(argv: readonly string[], options: FakeOptions = {}, asked: Partial<Asked> = {}) {
  const files = { "/etc/group": "root:x:0:\nlab:x:1000:ada,bob\n" };
  const [rows, text] = [controllerWith({ ...asked, isText: false }), controllerWith({ ...asked, isText: true })];
  const expected = await runOn(command, argv, { files, ...options, controller: rows.peer });
  const found = await runOn(command, argv, { files, ...options, controller: text.peer });
  expect(found).toEqual(expected);
  expect(rows.sent.every((item) => item.text === undefined)).toBe(true);
  return {
    out: found.out,
    chunks: text.sent.filter((item) => item.text !== undefined).length,
    items: text.sent.length,
  };
}

/** Columns that tell moments in the zone of their reader. */
const LOCAL = "SeV";

describe("as text", () => {
  test.each([
    [[]],
    [["-h"]],
    [["-l", "-t", "all"]],
    [["-r"]],
    [["-r", "-h", "-o", "%T"]],
    [["-r", "--json"]],
    [["--json"]],
    [["--json", "-t", "all", "--notme"]],
    [["-t", "CD", "--json"]],
    [["-u", "nobody-here", "--json"]],
    [["-h", "-t", "CG,PD", "-u", "1001"]],
    [["-n", "N1", "-p", "main", "--me"]],
    [["--notme", "-o", "%.18i|%u"]],
    [["-j", "12,16,1003", "-O", "JobArrayID:,GroupName:,Name:.4,Cluster:9"]],
    [["-o", ""]],
    [["-o", "no letters"]],
    [["-o", "%i%%%Zx%10000"]],
    [["--noconvert", "-o", "%i %m", "-t", "all"]],
    [["-t", "all", "-o", '"%i","%j","%t","%M","%L","%D","%C","%m","%b","%R"']],
  ])("%j", async (argv) => {
    const { chunks, items } = await both(argv, argv.includes("nobody-here") ? { program: "mgpu-squeue" } : {});
    expect(chunks).toBe(items);
  });

  test("several chunks, of all kinds", async () => {
    expect((await both(["-h"])).chunks).toBeGreaterThan(1);
    expect((await both(["--json"])).chunks).toBeGreaterThan(10);
  });

  test("every letter, in another zone", async () => {
    for (const letter of "agGAFKijuUPtTrRNBoZpQMlLSeVDCcmbzHIJdXqynxYEfhkOsvwW") {
      const { chunks } = await both(["-t", "all", "-u", "1001", "-o", `%${letter}`], { utcOffsetMinutes: 330 });
      expect([letter, chunks > 0]).toEqual([letter, !LOCAL.includes(letter)]);
    }
    expect((await both(["-o", "%all"])).chunks).toBe(0);
  });

  test("what variables say of formats", async () => {
    const environment = (more: Record<string, string>): FakeOptions => ({ environment: { HOME: "/", ...more } });
    expect((await both(["--json"], environment({ SLURM_JSON: "compact" }))).chunks).toBeGreaterThan(0);
    expect((await both([], environment({ SLURM_BITSTR_LEN: "5" }))).chunks).toBeGreaterThan(0);
    expect((await both([], environment({ SQUEUE_FORMAT: "%i %j", SQUEUE_STATES: "all" }))).chunks).toBeGreaterThan(0);
    expect((await both([], environment({ SQUEUE_FORMAT2: "JobID,Name" }))).chunks).toBeGreaterThan(0);
  });
});

describe("as rows", () => {
  test.each([
    [["-S", "-i"]],
    [["--start"]],
    [["--yaml", "-j", "12,16"]],
    [["-j", "14"]],
    [["-j", "999"]],
    [["-O", "StartTime"]],
  ])("%j", async (argv) => {
    expect((await both(argv)).chunks).toBe(0);
  });

  test("what would be very long", async () => {
    const listed = ["-t", "all", "-u", "1001", "-o"];
    expect((await both([...listed, "%300j".repeat(30)])).chunks).toBe(0);
    expect((await both([...listed, `%i${"x".repeat(3000)}`])).chunks).toBe(0);
    expect((await both([...listed, "%300j"])).chunks).toBe(1);
  });

  test("under Slurm's name, which sorts, on terminals, and as pretty JSON", async () => {
    expect((await both(["-t", "all"], { program: "squeue" })).chunks).toBe(0);
    expect((await both(["-j", "12,16", "--json"], { environment: { HOME: "/", SLURM_JSON: "pretty" } })).chunks).toBe(
      0,
    );
    expect((await both(["-a"], { terminal: { columns: 80, rows: 24 } })).chunks).toBe(0);
  });
});

test("jobs of others are kept back from text as from rows", async () => {
  const { out, chunks } = await both(["-h", "-t", "all", "-o", "%u"], {}, { privateData: ["jobs"], uid: 1001 });
  expect(chunks).toBe(1);
  expect(new Set(out.trimEnd().split("\n"))).toEqual(new Set(["bob-the-builder"]));
});
