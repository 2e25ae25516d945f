import { describe, expect, test } from "vitest";
import { demoCluster } from "../../../src/tui/demo.ts";
import { createModel, type Effect, type Message, type Model } from "../../../src/tui/model.ts";
import type { Row } from "../../../src/tui/rows.ts";
import { update } from "../../../src/tui/update.ts";

const NOW = 1_700_000_000_000;
const USER = { uid: 1001, name: "bob" };

function jobsMessage(rows: readonly Row[], gone: readonly number[] = [], isReset = false): Message {
  return { type: "jobs", isReset, isPartial: false, rows, gone, nowMs: NOW };
}

function start(options: { isReadOnly?: boolean } = {}): Model {
  const { jobs, nodes } = demoCluster(60, NOW);
  const flags = { isReadOnly: options.isReadOnly ?? false, isAscii: false, isDemo: false, utcOffset: () => 0 };
  const empty = createModel({ columns: 80, rows: 24, nowMs: NOW, user: USER, ...flags });
  return play(empty, jobsMessage(jobs, [], true), { type: "nodes", isReset: true, nodes, gone: [] }).model;
}

function play(model: Model, ...messages: readonly Message[]): { model: Model; effects: Effect[] } {
  const effects: Effect[] = [];
  let current = model;
  for (const message of messages) {
    const step = update(current, message);
    current = step.model;
    effects.push(...step.effects);
  }
  return { model: current, effects };
}

/** Words between blanks are keys with names; `space` is the blank. */
function press(model: Model, keys: string) {
  const named = keys.split(" ").map((key) => (key === "space" ? " " : key));
  return play(model, ...named.map((key): Message => ({ type: "key", key })));
}

function type(model: Model, text: string, end = "enter") {
  return play(model, ...[...text, end].map((key): Message => ({ type: "key", key })));
}

describe("the list", () => {
  test("the cursor stays on its job while others come, go and change places", () => {
    const at = press(start(), "j j j j").model;
    const [first] = at.entries;
    const ended = play(
      at,
      jobsMessage(
        [],
        first?.members.map(({ id }) => id),
      ),
    ).model;
    expect(ended.selected).toBe(at.selected);
    expect(ended.cursor).toBe(at.cursor - 1);
    const sorted = press(ended, "s g").model;
    expect(sorted.selected).toBe(at.selected);
    expect(sorted.entries[sorted.cursor]?.key).toBe(at.selected);
  });

  test("when its job is gone, the cursor stays where it is", () => {
    const at = press(start(), "G").model;
    const last = at.entries.at(-1);
    const next = play(
      at,
      jobsMessage(
        [],
        last?.members.map(({ id }) => id),
      ),
    ).model;
    expect(next.cursor).toBe(next.entries.length - 1);
  });

  test("pages and ends, never out of the list; the cursor is always seen", () => {
    let model = start();
    for (const key of ["pgdn", "ctrl-d", "G", "j", "pgup", "k", "ctrl-u", "g", "k"]) {
      model = press(model, key).model;
      expect(model.cursor).toBeGreaterThanOrEqual(model.top);
      expect(model.cursor).toBeLessThan(model.top + 20);
    }
    expect(model.cursor).toBe(0);
  });

  test("a filter is in force while it is typed, Esc takes it back, and Esc again shows all", () => {
    const all = start().entries.length;
    const typing = press(start(), "/ u s e r : b o b").model;
    expect(typing.entries.every(({ row }) => row.user === "bob")).toBe(true);
    expect(press(typing, "escape").model.entries).toHaveLength(all);
    const kept = press(typing, "enter").model;
    expect(kept.prompt).toBeNull();
    expect(kept.entries.length).toBeLessThan(all);
    expect(press(kept, "escape").model.entries).toHaveLength(all);
    expect(type(press(start(), "/").model, "colour:red").model.message?.text).toContain("colour");
  });

  test("mine, ended ones, arrays folded and unfolded", () => {
    expect(press(start(), "m").model.entries.every(({ row }) => row.uid === USER.uid)).toBe(true);
    const model = start();
    const folded = model.entries.findIndex(({ members }) => members.length > 1);
    const at = { ...model, cursor: folded, selected: model.entries[folded]?.key ?? null };
    const members = model.entries[folded]?.members.length ?? 0;
    const unfolded = press(at, "z").model;
    expect(unfolded.entries).toHaveLength(model.entries.length + members - 1);
    expect(press(unfolded, "z").model.entries).toHaveLength(model.entries.length);
    const [row] = model.entries[0]?.members ?? [];
    const ended = play(model, jobsMessage([{ ...(row as Row), arrayJobId: 0, state: "FAILED", endAt: NOW }])).model;
    const shown = press(ended, "e").model;
    expect(shown.entries.length).toBe(ended.entries.length + 1);
  });

  test("a list in parts is made once, at its end", () => {
    const { jobs } = demoCluster(60, NOW);
    const parts = play(
      start(),
      { type: "jobs", isReset: true, isPartial: true, rows: jobs.slice(0, 30), gone: [], nowMs: NOW },
      jobsMessage(jobs.slice(30)),
    );
    expect(parts.model.jobs.size).toBe(60);
    expect(parts.model.entries).toHaveLength(start().entries.length);
  });
});

describe("changes", () => {
  test("each is asked about, and anything but y means no", () => {
    for (const key of ["n", "enter", "escape", "q", "space"]) {
      expect(press(start(), `c ${key}`)).toMatchObject({ effects: [], model: { confirm: null } });
    }
    const done = press(start(), "c y");
    expect(done.effects).toMatchObject([{ type: "do", deed: { action: { type: "cancel", signal: null } } }]);
  });

  test("marked jobs are meant together, folded arrays with all of their jobs", () => {
    const marked = press(start(), "space space space H");
    expect(marked.model.confirm?.jobIds.length).toBeGreaterThanOrEqual(3);
    expect(marked.model.confirm?.target).toMatch(/^\d+ jobs$/);
    expect(press(marked.model, "y").model.marked.size).toBe(0);
    expect(press(start(), "* *").model.marked.size).toBe(0);
  });

  test("values are typed first, and wrong ones change nothing", () => {
    const limit = type(press(start(), "T").model, "1:30:00");
    expect(limit.model.confirm?.action).toEqual({ type: "limit", value: 5400 });
    expect(type(press(start(), "T").model, "soon").model).toMatchObject({ confirm: null, message: { isError: true } });
    expect(type(press(start(), "p").model, "-5").model.confirm?.action).toEqual({ type: "nice", value: -5 });
    expect(type(press(start(), "p").model, "1.5").model.confirm).toBeNull();
    expect(type(press(start(), "n d").model, "bad fan").model.confirm).toMatchObject({
      action: { type: "drain", reason: "bad fan" },
      node: "gpu1",
    });
  });

  test("nothing changes with --read-only", () => {
    for (const keys of ["c", "K", "H", "U", "R", "p", "T", "n d", "n u", ": c a n c e l enter"]) {
      const { model, effects } = press(start({ isReadOnly: true }), keys);
      expect({ keys, confirm: model.confirm, prompt: model.prompt, effects }).toMatchObject({
        ...{ keys, confirm: null, prompt: null, effects: [] },
      });
      expect(model.message?.text).toContain("--read-only");
    }
  });

  test("only a job that runs can be attached to", () => {
    expect(press(start(), "a").effects).toEqual([{ type: "attach", label: "1001_0" }]);
    const waiting = type(press(start(), "/").model, "state:PD").model;
    expect(press(waiting, "a")).toMatchObject({ effects: [], model: { message: { isError: true } } });
  });
});

describe("views", () => {
  test("details and output are asked for, and leaving the output ends it", () => {
    const detail = press(start(), "enter");
    expect(detail.model.view).toBe("job");
    expect(detail.effects).toMatchObject([{ type: "detail" }]);
    const log = press(detail.model, "l");
    expect(log.effects).toMatchObject([{ type: "log", job: { stream: "stdout" } }]);
    const back = press(log.model, "escape");
    expect(back).toMatchObject({ model: { view: "job" }, effects: [{ type: "log", job: null }] });
    expect(press(back.model, "q").model.view).toBe("jobs");
    expect(press(start(), "q").effects).toEqual([{ type: "quit" }]);
  });

  test("output is joined where its lines were cut, follows, and stays where one scrolls", () => {
    const { model } = press(start(), "l");
    const jobId = model.log?.jobId ?? 0;
    const told = (text: string, isReset = false): Message => {
      return { type: "log", jobId, path: "/out", text, isReset, problem: "" };
    };
    const lines = Array.from({ length: 100 }, (_, at) => `line ${at}`).join("\n");
    const all = play(model, told(lines, true), told(" and more\nlast")).model;
    expect(all.log?.lines.slice(-2)).toEqual(["line 99 and more", "last"]);
    const up = press(all, "k").model;
    expect(up.log).toMatchObject({ isFollowing: false, top: 80 });
    expect(play(up, told("\nnew")).model.log?.top).toBe(80);
    expect(press(up, "G").model.log?.isFollowing).toBe(true);
    expect(press(all, "o").effects).toMatchObject([{ job: { stream: "stderr" } }]);
  });

  test("the command line: whole and short names, jobs by number, completion, wrong words", () => {
    const run = (text: string) => type(press(start(), ":").model, text);
    expect(run("q").effects).toEqual([{ type: "quit" }]);
    expect(run("job 1003").model).toMatchObject({ view: "job", detail: { jobId: 1003 } });
    expect(run("cancel 1003,1004").model.confirm?.jobIds).toEqual([1003, 1004]);
    expect(run("cancel 7").model.message?.text).toBe("there is no job 7 in the queue");
    expect(run("sort -gpus").model).toMatchObject({ sort: "gpus", isReversed: true });
    expect(run("drain gpu2 bad fan").model.confirm).toMatchObject({ node: "gpu2" });
    expect(run("drain gpu99 x").model.message?.isError).toBe(true);
    expect(run("cansel 7").model.message?.text).toContain("cancel");
    expect(press(start(), ": c a n tab").model.prompt?.text).toBe("cancel ");
    expect(press(start(), ": r e tab").model.prompt?.text).toBe("re");
  });

  test("control keys work whatever is open", () => {
    for (const keys of ["ctrl-c", "/ ctrl-c", "c ctrl-c", "s ctrl-c", "enter ctrl-c"]) {
      expect(press(start(), keys).effects.at(-1)).toEqual({ type: "quit" });
    }
  });
});

describe("choices that are typed", () => {
  test("C asks for a signal by name or number, then whether to send it", () => {
    const asked = type(press(start(), "C").model, "usr1").model;
    expect(asked.confirm?.action).toEqual({ type: "cancel", signal: 10 });
    expect(press(asked, "y").effects).toMatchObject([{ type: "do", deed: { action: { signal: 10 } } }]);
    expect(type(press(start(), "C").model, "nonsense").model).toMatchObject({
      confirm: null,
      message: { isError: true },
    });
    expect(press(start({ isReadOnly: true }), "C").model.prompt).toBe(null);
  });
  test("/ looks through an output, n and N go on and back, and around the ends", () => {
    const log = press(start(), "l").model;
    const text = Array.from({ length: 100 }, (_, at) => `${at % 30 === 7 ? "Loss" : "step"} ${at}`).join("\n");
    const jobId = log.log?.jobId ?? 0;
    const read = play(log, { type: "log", jobId, path: "/out", text, isReset: true, problem: "" }).model;
    const found = type(press(read, "g /").model, "loss").model;
    expect(found.log).toMatchObject({ top: 7, isFollowing: false });
    expect(press(found, "n").model.log?.top).toBe(37);
    expect(press(found, "N").model.log?.top).toBe(97);
    expect(type(press(found, "/").model, "absent").model.message).toMatchObject({ isError: true });
    expect(press(found, "n").model.view).toBe("log");
  });
});
