/** The screens of the terminal UI with ten thousand jobs, at three sizes: of the demonstration, the same every time. */

import { describe, expect, test } from "vitest";
import { type Demo, demoCluster, rowsAt } from "../../src/tui/demo.ts";
import { demoNodes } from "../../src/tui/demo-nodes.ts";
import { paintScreen, plainScreen } from "../../src/tui/draw/screen.ts";
import { createModel, type Effect, type Message, type Model } from "../../src/tui/model.ts";
import { update } from "../../src/tui/update.ts";
import { expectGolden } from "./expect-golden.ts";

const NOW = 1_700_000_000_000;

const SIZES = [
  [80, 24],
  [120, 40],
  [200, 50],
] as const;

/** Keys, each a word, that lead to a screen. */
const SCREENS: Readonly<Record<string, string>> = {
  jobs: "j j space",
  filtered: "/ g p u > 2 enter s",
  cancel: "c",
  details: "enter",
  nodes: "n j",
  output: "l",
  help: "?",
  columns: ": c o l u m n s space i d , n a m e , a c c o u n t , p l a c e enter",
  complete: ": d r a space tab",
  pause: "n p f a n enter",
  "nodes-help": "n ?",
  history: "h [ left j",
};

const DETAIL = `Why it waits: Resources
  waits for 2 GPUs to be free (gpu1: 0 of 8 GPUs free)
Record
  JobId=1001 JobName=train-llm
   UserId=ada(1000) Priority=4000
`;

const cluster = demoCluster(10_000, NOW);

function start(columns: number, rows: number, { jobs, nodes }: Pick<Demo, "jobs" | "nodes"> = cluster): Model {
  const flags = { isReadOnly: false, isAscii: false, isDemo: true, utcOffset: () => 0 };
  const model = createModel({ columns, rows, nowMs: NOW, user: { uid: 1001, name: "bob" }, ...flags });
  const before = [4, 3, 2, 1].map((at) => demoNodes(jobs, NOW - at * 5000));
  const told: Message[] = [
    { type: "jobs", isReset: true, isPartial: false, rows: jobs, gone: [], nowMs: NOW },
    ...[...before, nodes].map((one): Message => ({ type: "nodes", isReset: true, nodes: one, gone: [] })),
  ];
  return told.reduce((current, message) => update(current, message).model, model);
}

const OUTPUT = "epoch 1\nepoch 2 \x1b[31mred\x1b[0m\n10%\r50%\r100%\n";

/** What the shell would answer. */
function answerTo(effect: Effect): Message[] {
  switch (effect.type) {
    case "detail":
      return [{ type: "detail", jobId: effect.jobId, text: DETAIL }];
    case "log": {
      const { jobId = 0 } = effect.job ?? {};
      return [{ type: "log", jobId, path: "/home/ada/slurm-1001.out", text: OUTPUT, isReset: true, problem: "" }];
    }
    case "past": {
      const rows = rowsAt([...cluster.past, ...cluster.jobs], effect.atMs);
      return [{ type: "past", atMs: effect.atMs, rows, problem: "" }];
    }
    default:
      return [];
  }
}

function screenOf(model: Model, keys: string): Model {
  return keys.split(" ").reduce((current, key) => {
    const { model: next, effects } = update(current, { type: "key", key: key === "space" ? " " : key });
    return effects.flatMap(answerTo).reduce((one, message) => update(one, message).model, next);
  }, model);
}

describe.each(SIZES)("%ix%i", (columns, rows) => {
  const opened = start(columns, rows);
  test.each(Object.entries(SCREENS))("%s", (name, keys) => {
    const model = screenOf(opened, keys);
    expectGolden(`tui-${name}-${columns}x${rows}.txt`, `${plainScreen(model)}\n`);
    expect(paintScreen(model, true)).toHaveLength(rows);
  });
});

/** What is left of painted text when its sequences are gone. */
const bare = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, "");

test("no row is wider than the terminal, nor are there more rows than it has, at any size", () => {
  const few = demoCluster(60, NOW);
  for (const keys of Object.values(SCREENS)) {
    for (const [columns, rows] of [
      [20, 5],
      [1, 1],
      [45, 10],
      [300, 90],
    ] as const) {
      const painted = paintScreen(screenOf(start(columns, rows, few), keys), true);
      expect(painted.length).toBeLessThanOrEqual(rows);
      expect(painted.filter((row) => [...bare(row)].length > columns)).toEqual([]);
    }
  }
});

test("ten thousand jobs: only the rows that are seen are drawn, and the last can be reached", () => {
  const model = screenOf(start(80, 24), "G");
  const text = plainScreen(model);
  expect(model.jobs.size).toBe(10_000);
  expect(text.split("\n")).toHaveLength(24);
  expect(text).toContain(`${model.entries.length}/${model.entries.length}`);
});

test("without colours nothing but bold and reverse is used; hostile names can't move the cursor", () => {
  const { jobs } = demoCluster(1, NOW);
  const named = jobs.map((row) => ({ ...row, name: "a\x1b[2Jb\nc\x07", user: "\x9bev" }));
  const model = update(start(80, 24), {
    ...{ type: "jobs", isReset: true, isPartial: false, rows: named, gone: [], nowMs: NOW },
  }).model;
  const painted = paintScreen(model, false).join("");
  expect(new Set(painted.match(/\x1b\[[^m]*m/g))).toEqual(
    new Set(["\x1b[0m", "\x1b[1m", "\x1b[7m", "\x1b[1;7m"].filter((code) => painted.includes(code))),
  );
  expect(bare(painted)).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
});
