/** The screens of the terminal UI, at three sizes: of the demonstration's cluster, which is always the same. */

import { describe, expect, test } from "vitest";
import { demoCluster } from "../../src/tui/demo.ts";
import { paintScreen, plainScreen } from "../../src/tui/draw/screen.ts";
import { createModel, type Message, type Model } from "../../src/tui/model.ts";
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
};

const DETAIL = `Why it waits: Resources
  waits for 2 GPUs to be free (gpu1: 0 of 8 GPUs free)
Record
  JobId=1001 JobName=train-llm
   UserId=ada(1000) Priority=4000
`;

function start(columns: number, rows: number, count = 60): Model {
  const { jobs, nodes } = demoCluster(count, NOW);
  const flags = { isReadOnly: false, isAscii: false, isDemo: true };
  const model = createModel({ columns, rows, nowMs: NOW, user: { uid: 1001, name: "bob" }, ...flags });
  const told: Message[] = [
    { type: "jobs", isReset: true, isPartial: false, rows: jobs, gone: [], nowMs: NOW },
    { type: "nodes", isReset: true, nodes, gone: [] },
  ];
  return told.reduce((current, message) => update(current, message).model, model);
}

function screenOf(model: Model, keys: string): Model {
  const pressed = keys
    .split(" ")
    .map((key): Message => ({ type: "key", key: key === "space" ? " " : key }))
    .reduce((current, message) => update(current, message).model, model);
  const jobId = pressed.detail?.jobId ?? pressed.log?.jobId ?? 0;
  const text = "epoch 1\nepoch 2 \x1b[31mred\x1b[0m\n10%\r50%\r100%\n";
  const told: Message[] = [
    { type: "detail", jobId, text: DETAIL },
    { type: "log", jobId, path: "/home/ada/slurm-1001.out", text, isReset: true, problem: "" },
  ];
  return told.reduce((current, message) => update(current, message).model, pressed);
}

describe.each(SIZES)("%ix%i", (columns, rows) => {
  test.each(Object.entries(SCREENS))("%s", (name, keys) => {
    const model = screenOf(start(columns, rows), keys);
    expectGolden(`tui-${name}-${columns}x${rows}.txt`, `${plainScreen(model)}\n`);
    expect(paintScreen(model, true)).toHaveLength(rows);
  });
});

/** What is left of painted text when its sequences are gone. */
const bare = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, "");

test("no row is wider than the terminal, nor are there more rows than it has, at any size", () => {
  for (const keys of Object.values(SCREENS)) {
    for (const [columns, rows] of [
      [20, 5],
      [1, 1],
      [45, 10],
      [300, 90],
    ] as const) {
      const painted = paintScreen(screenOf(start(columns, rows), keys), true);
      expect(painted.length).toBeLessThanOrEqual(rows);
      expect(painted.filter((row) => [...bare(row)].length > columns)).toEqual([]);
    }
  }
});

test("ten thousand jobs: only the rows that are seen are drawn, and the last can be reached", () => {
  const model = screenOf(start(80, 24, 10_000), "G");
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
