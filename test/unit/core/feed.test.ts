/** Feeds: what a file says, line by line; jobs of lines, each once; what is remembered of them, and how long. */

import { describe, expect, test } from "vitest";
import type { Command } from "../../../src/core/commands.ts";
import { FEEDS_PER_USER_MAX, type FeedLine, guardKey, meaningOf } from "../../../src/core/feed/feed.ts";
import { feedJob, gpusFor, scriptCommand } from "../../../src/core/feed/job.ts";
import { readFeed } from "../../../src/core/feed/lines.ts";
import { FEED_BYTES_MAX } from "../../../src/core/feed/text.ts";
import { step } from "../../../src/core/kernel.ts";
import { emptyState, fromStored, toStored } from "../../../src/core/state.ts";
import { jobRequest, spec, T0 } from "../support/samples.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string) => readFeed(bytes(text));
const PLAIN: Omit<FeedLine, "line" | "script"> = {
  ...{ priority: "normal", condaEnv: "", args: "", allowedGpus: [], gpus: "", name: "" },
};

describe("a file", () => {
  test("has a job a line, with comments, empty fields and ranges", () => {
    const { lines, problems } = read(
      "# priority,script,conda_env,arguments,allowed_gpus\n\n0,train.py,torch,--epochs 3,0-3\n  # more\n,b.sh,,,\n2,c.sh\n1, d.py , , -x ,0,2-3\n",
    );
    expect(problems).toEqual([]);
    expect(lines).toEqual([
      {
        ...{ line: 3, priority: "high", script: "train.py", condaEnv: "torch", args: "--epochs 3" },
        ...{ allowedGpus: [0, 1, 2, 3], gpus: "", name: "" },
      },
      { ...PLAIN, line: 5, script: "b.sh" },
      { ...PLAIN, line: 6, script: "c.sh", priority: "low" },
      { ...PLAIN, line: 7, script: "d.py", args: "-x", allowedGpus: [0, 2, 3] },
    ]);
  });

  test("may name its columns, in any order, some more, or fewer", () => {
    const { lines, problems } = read('Script,GPUs,Args,priority\na.py,2,"--names ""x"",y",high\nb.sh,0.5\n');
    expect(problems).toEqual([]);
    expect(lines).toEqual([
      { ...PLAIN, line: 2, script: "a.py", gpus: "2", args: '--names "x",y', priority: "high" },
      { ...PLAIN, line: 3, script: "b.sh", gpus: "0.5" },
    ]);
  });

  test("needs no last line break, and may have DOS ones and a byte order mark", () => {
    expect(read("\uFEFF1,a.sh,,,\r\n1,b.sh").lines.map(({ script }) => script)).toEqual(["a.sh", "b.sh"]);
    expect(read("").lines).toEqual([]);
    expect(read("\n# nothing\n")).toEqual({ lines: [], problems: [] });
  });

  test.each([
    ["3,a.sh", 'priority: expected 0, 1 or 2, got "3"'],
    ["-1,a.sh", 'priority: expected 0, 1 or 2, got "-1"'],
    ["1,", "script: there is none"],
    ["1", "script: there is none"],
    ["1,a.sh,,,x", 'allowed_gpus: expected indices such as 0,2-3, got "x"'],
    ["1,a.sh,,,3-0", 'allowed_gpus: expected indices such as 0,2-3, got "3-0"'],
    ["1,a.sh,,--sizes 1,b", 'allowed_gpus: expected indices such as 0,2-3, got "b"'],
    [
      "1,a.sh,,--names a,b,0",
      'allowed_gpus: expected indices such as 0,2-3, got "b,0"; put quotes " around arguments that have commas',
    ],
    ['1,"a.sh', 'a quote " is not closed'],
    ['1,"a".sh', 'there is something behind a closing quote; within quotes, write "" for a quote'],
    ["1,a\u0007.sh", "script: it has a control character"],
    [`1,${"x".repeat(1025)}`, "script: it is too long"],
    [`1,a.sh,,${"x".repeat(70_000)}`, "it is longer than 64 KiB"],
    [
      "9,,,,x",
      'priority: expected 0, 1 or 2, got "9"; script: there is none; allowed_gpus: expected indices such as 0,2-3, got "x"',
    ],
  ])("has a bad line, %j", (line, text) => {
    expect(read(`1,good.sh\n${line}\n1,other.sh\n`)).toMatchObject({
      lines: [{ script: "good.sh" }, { script: "other.sh" }],
      problems: [{ line: 2, text }],
    });
  });

  test.each([
    ["script,priorty\na.sh,1", 1, 'there is no column "priorty"; did you mean priority?'],
    ["name,gpus,scritp\na,1,a.sh", 1, 'there is no column "scritp"; did you mean script?'],
    ["scritp,args\na.sh,1", 1, 'there is no column "scritp"; did you mean script?'],
    ["name,gpus\na,1", 1, "there is no column script"],
    ["script,args,arguments\na.sh", 1, "a column is named twice"],
    ["script,gpus\na.sh,x", 2, 'gpus: expected a count of GPUs or type:count, such as 2 or a100:2, got "x"'],
    ["script,gpus\na.sh,1,2", 2, 'it has 3 fields for 2 columns; put quotes " around one that has commas'],
  ])("has names of columns and a problem, %j", (text, line, problem) => {
    expect(read(text)).toEqual({ lines: [], problems: [{ line, text: problem }] });
  });

  test.each([
    ["UTF-16, little", Uint8Array.of(0xff, 0xfe, 0x31, 0), "it is UTF-16; save it as UTF-8"],
    ["UTF-16, big", Uint8Array.of(0xfe, 0xff, 0, 0x31), "it is UTF-16; save it as UTF-8"],
    ["zeros", new Uint8Array(100), "it holds zero bytes, so it is no text"],
    ["100 MB", new Uint8Array(FEED_BYTES_MAX + 1).fill(35), "it has more than 8 MiB"],
    ["100,001 lines", bytes("#\n".repeat(100_001)), "it has more than 100000 lines"],
  ])("is none: %s", (_what, data, text) => {
    expect(readFeed(data)).toEqual({ lines: [], problems: [{ line: 0, text }] });
  });

  test("in Latin-1 has good lines and bad ones", () => {
    const data = Uint8Array.of(...bytes("1,a.sh\n1,"), 0xe9, ...bytes(".sh\n1,b.sh\n"));
    expect(readFeed(data)).toMatchObject({
      lines: [{ script: "a.sh" }, { script: "b.sh" }],
      problems: [{ line: 2, text: "it is no UTF-8; save the file as UTF-8" }],
    });
  });
});

describe("a line's job", () => {
  const models = { models: { "llama-70b": "4" }, otherwise: null };
  const [line] = read("0,sub/it's.py,torch,--epochs 3,0-1").lines as [FeedLine];

  test("has the line's program, priority, environment and GPUs", () => {
    expect(feedJob(jobRequest(), line, models)).toMatchObject({
      name: "it's.py",
      argv: ["/home/ada/sub/it's.py", "python 'sub/it'\\''s.py' --epochs 3"],
      nice: -50_000,
      activation: { kind: "conda", name: "torch" },
      request: { gpus: { per: "job", wishes: [{ type: null, thousandths: 1000 }] }, gpuAllowed: [0, 1] },
      submitLine: "sbatch train.sh (line 1)",
    });
  });

  test("has the GPUs that its model needs", () => {
    expect(gpusFor("--x 1 --llm llama-70b", models)).toBe("4");
    expect(gpusFor("--llm other", models)).toBe("1");
    expect(gpusFor("", { models: {}, otherwise: "0.5" })).toBe("0.5");
    const job = feedJob(jobRequest(), { ...line, gpus: "2", args: "--llm llama-70b" }, models);
    expect(job.request.gpus).toEqual({ per: "job", wishes: [{ type: null, thousandths: 2000 }] });
  });

  test("runs .py with python, .sh with bash, anything else by itself", () => {
    expect(["a.py", "b.sh", "c", "bin/d"].map((script) => scriptCommand(script, "-x"))).toEqual([
      ...["python a.py -x", "bash b.sh -x", "./c -x", "bin/d -x"],
    ]);
  });

  test("is the same whatever the line looks like, and its priority", () => {
    const texts = ["1,a.sh,,-x,0-1", ' 0 , a.sh,, "-x" ,0,1', "2,a.sh,,-x,1,0"].flatMap((text) => read(text).lines);
    expect(new Set(texts.map((one) => meaningOf(one, "/w"))).size).toBe(1);
    const others = ["1,a.sh,,-y,0-1", "1,b.sh,,-x,0-1", "1,a.sh,e,-x,0-1", "1,a.sh,,-x,0"].flatMap(
      (text) => read(text).lines,
    );
    expect(new Set([...texts, ...others].map((one) => meaningOf(one, "/w"))).size).toBe(5);
  });
});

describe("what was queued", () => {
  const line = (digest: string, over: Partial<Extract<Command, { type: "feed.submit" }>> = {}): Command => ({
    ...{ type: "feed.submit", guard: guardKey(1000, "/f"), digest, kept: 3, isAgain: false },
    job: { type: "job.submit", requestId: "", spec: spec() },
    ...over,
  });

  test("is not queued again, unless it is asked for", () => {
    const state = emptyState();
    expect(step(state, line("a"), T0).decision).toMatchObject({ kind: "accept", jobId: 1 });
    expect(step(state, line("a"), T0).decision).toEqual({ kind: "ignore", why: "this line was queued before" });
    expect(step(state, line("a", { guard: guardKey(1000, "/g") }), T0).decision).toMatchObject({ jobId: 2 });
    expect(step(state, line("a", { isAgain: true }), T0).decision).toMatchObject({ jobId: 3 });
    expect(state.jobs.size).toBe(3);
  });

  test("a repeated call answers with the same job", () => {
    const state = emptyState();
    const again = line("a", { isAgain: true, job: { type: "job.submit", requestId: "r.1", spec: spec() } });
    expect(step(state, again, T0).decision).toMatchObject({ kind: "accept", jobId: 1 });
    expect(step(state, again, T0).decision).toMatchObject({ kind: "ignore", jobId: 1 });
  });

  test("is forgotten oldest first, and is in the snapshot", () => {
    const state = emptyState();
    for (const digest of ["a", "b", "c", "d"]) step(state, line(digest), T0);
    expect([...(state.feedGuards.get("1000:/f") ?? [])]).toEqual(["b", "c", "d"]);
    expect(step(state, line("a"), T0).decision.kind).toBe("accept");
    expect(fromStored(JSON.parse(JSON.stringify(toStored(state)))).feedGuards).toEqual(state.feedGuards);
  });

  test("a refused job is not remembered", () => {
    const state = emptyState();
    const refused = line("a", {
      job: { type: "job.submit", requestId: "", spec: spec({ partition: "no" }) },
    });
    expect(step(state, refused, T0).decision).toMatchObject({ kind: "deny", denial: { code: "INVALID_PARTITION" } });
    expect(state.feedGuards.size).toBe(0);
  });
});

describe("a watched file", () => {
  const put = (path: string, uid = 1000): Command => ({
    type: "feed.put",
    feed: { user: { uid, gid: uid, name: "ada" }, path, template: jobRequest(), environmentDigest: "e" },
  });

  test("keeps its number, and is one's own", () => {
    const state = emptyState();
    for (const path of ["/a", "/b", "/a"]) step(state, put(path), T0);
    step(state, put("/a", 1001), T0);
    expect([...state.feeds.values()].map(({ id, path }) => [id, path])).toEqual([
      ...[
        [1, "/a"],
        [2, "/b"],
        [3, "/a"],
      ],
    ]);
    expect(step(state, { type: "feed.drop", feedId: 1, byUid: 1001 }, T0).decision).toMatchObject({
      kind: "deny",
      denial: { code: "PERMISSION", hint: "feed 1 is ada's" },
    });
    expect(step(state, { type: "feed.drop", feedId: 1, byUid: 1000 }, T0).decision.kind).toBe("accept");
    expect(step(state, { type: "feed.drop", feedId: 1, byUid: 0 }, T0).decision.kind).toBe("deny");
    step(state, put("/c"), T0);
    expect([...state.feeds.keys()]).toEqual([2, 3, 4]);
    expect(fromStored(JSON.parse(JSON.stringify(toStored(state))))).toEqual(state);
  });

  test("tells what came of its last reading", () => {
    const state = emptyState();
    step(state, put("/a"), T0);
    const reading = {
      ...{ at: T0, mark: { size: 1, mtimeMs: 2, inode: 3 }, digest: "d", jobs: 2, refused: 0 },
      ...{ problems: [{ line: 1, text: "no" }], problemCount: 1 },
    };
    step(state, { type: "feed.read", feedId: 1, reading, queued: 2, trouble: "" }, T0);
    step(state, { type: "feed.read", feedId: 1, trouble: "gone" }, T0);
    expect(state.feeds.get(1)).toMatchObject({ queued: 2, reading, trouble: "gone" });
    expect(step(state, { type: "feed.read", feedId: 1, trouble: "gone" }, T0).decision.kind).toBe("ignore");
    expect(step(state, { type: "feed.read", feedId: 9, trouble: "" }, T0).decision.kind).toBe("ignore");
  });

  test("is one of so many of a user", () => {
    const state = emptyState();
    for (let at = 0; at < FEEDS_PER_USER_MAX; at++) step(state, put(`/${at}`), T0);
    expect(step(state, put("/more"), T0).decision).toMatchObject({ kind: "deny", denial: { code: "QUEUE_FULL" } });
    expect(step(state, put("/0"), T0).decision.kind).toBe("accept");
  });
});
