import { describe, expect, test } from "vitest";
import { demoCluster, rowsAt } from "../../../src/tui/demo.ts";
import { demoNodes } from "../../../src/tui/demo-nodes.ts";
import { plainScreen } from "../../../src/tui/draw/screen.ts";
import { createModel, type Effect, type Message, type Model } from "../../../src/tui/model.ts";
import { update } from "../../../src/tui/update.ts";

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);
const HOUR_MS = 3_600_000;
const cluster = demoCluster(60, NOW);

function start(options: { isReadOnly?: boolean; columns?: number } = {}): Model {
  const flags = { isReadOnly: options.isReadOnly ?? false, isAscii: false, isDemo: false, utcOffset: () => 0 };
  const size = { columns: options.columns ?? 80, rows: 24 };
  const empty = createModel({ ...size, nowMs: NOW, user: { uid: 1001, name: "bob" }, ...flags });
  return play(
    empty,
    { type: "jobs", isReset: true, isPartial: false, rows: cluster.jobs, gone: [], nowMs: NOW },
    { type: "nodes", isReset: true, nodes: cluster.nodes, gone: [] },
  ).model;
}

function play(model: Model, ...messages: readonly Message[]): { model: Model; effects: Effect[] } {
  return messages.reduce(
    (before, message) => {
      const { model: next, effects } = update(before.model, message);
      return { model: next, effects: [...before.effects, ...effects] };
    },
    { model, effects: [] as Effect[] },
  );
}

const keys = (...names: readonly string[]): Message[] => names.map((key) => ({ type: "key", key }));
const typed = (text: string, ...end: readonly string[]): Message[] => keys(...text, ...end);

describe("history", () => {
  test("keys move the moment by an hour, a day, a week, ten minutes; never past now", () => {
    const at = (...names: readonly string[]) => play(start(), ...keys("h", ...names)).model.past?.atMs;
    expect(at()).toBe(NOW);
    expect(at("right")).toBe(NOW);
    expect(at("left")).toBe(NOW - HOUR_MS);
    expect(at("[", "left", "-")).toBe(NOW - 25 * HOUR_MS - HOUR_MS / 6);
    expect(at("{", "]", "+")).toBe(NOW - 6 * 24 * HOUR_MS + HOUR_MS / 6);
  });

  test(":at reads moments; a time of day that is still to come is yesterday's; the future and nonsense are refused", () => {
    const at = (text: string) => play(start(), ...typed(`:at ${text}`, "enter"));
    expect(at("2026-11-20 14:00").effects).toEqual([{ type: "past", atMs: Date.UTC(2026, 10, 20, 14) }]);
    expect(at("11:30").model.past?.atMs).toBe(NOW - HOUR_MS / 2);
    expect(at("18:00").model.past?.atMs).toBe(NOW - 18 * HOUR_MS);
    expect(at("now-2hours").model.past?.atMs).toBe(NOW - 2 * HOUR_MS);
    expect(at("2027-01-01").model.message?.text).toContain("still to come");
    expect(at("whenever").model).toMatchObject({ view: "jobs", message: { isError: true } });
  });

  test("only the newest answer counts; its list has a cursor of its own, and the filter holds there too", () => {
    const asked = play(start(), ...keys("j", "j", "h", "left", "left")).model;
    const rows = rowsAt([...cluster.past, ...cluster.jobs], NOW - 2 * HOUR_MS);
    const old = play(asked, { type: "past", atMs: NOW - HOUR_MS, rows, problem: "" }).model;
    expect(old.past?.rows).toEqual([]);
    const then = play(asked, { type: "past", atMs: NOW - 2 * HOUR_MS, rows, problem: "" }, ...keys("j")).model;
    expect(then.past?.isLoading).toBe(false);
    expect([then.cursor, then.past?.cursor]).toEqual([2, 1]);
    const shown = plainScreen(then);
    expect(shown).toMatch(/2026-11-22 10:00:00 {2}2 h ago/);
    const few = play(then, ...typed("/user:ada", "enter")).model;
    expect(new Set(few.past?.entries.map(({ row }) => row.user))).toEqual(new Set(["ada"]));
    const one = few.past?.entries[few.past.cursor]?.row.id;
    expect(play(few, ...keys("enter")).effects).toEqual([{ type: "detail", jobId: one }]);
    expect(play(few, ...keys("escape")).model.view).toBe("jobs");
  });
});

describe("GPUs", () => {
  test("p asks for a reason and then whether; on a paused GPU it lets jobs in again", () => {
    const asked = play(start(), ...keys("n", "right", "right", "p"), ...typed("fan", "enter"));
    expect(asked.effects).toEqual([]);
    expect(asked.model.confirm).toMatchObject({ action: { type: "pause", reason: "fan" }, node: "gpu1", gpus: [2] });
    expect(play(asked.model, ...keys("enter"))).toMatchObject({ effects: [], model: { confirm: null } });
    expect(play(asked.model, ...keys("y")).effects).toMatchObject([{ type: "do", deed: { gpus: [2] } }]);
    const paused = play(start(), ...keys("n", "j", "j", ...Array.from({ length: 7 }, () => "right"), "p")).model;
    expect(paused.confirm).toMatchObject({ action: { type: "unpause" }, node: "gpu3", gpus: [7] });
    expect(play(start({ isReadOnly: true }), ...keys("n", "p")).model.confirm).toBe(null);
  });

  test(":pause and :unpause take NODE:GPU; what is none is told", () => {
    const said = (text: string) => play(start(), ...typed(`:${text}`, "enter")).model;
    expect(said("pause gpu1:0-2 fan broken").confirm).toMatchObject({
      action: { type: "pause", reason: "fan broken" },
      gpus: [0, 1, 2],
    });
    expect(said("unpause gpu3:7").confirm).toMatchObject({ action: { type: "unpause" }, node: "gpu3" });
    expect(said("pause gpu1").message?.text).toContain("NODE:GPU");
    expect(said("pause gpu1:9").message?.text).toContain("no GPU 9");
  });

  test("each vital sign adds a number to a GPU's past, once; numbers of long ago are forgotten", () => {
    const tell = (atMs: number): Message => {
      return { type: "nodes", isReset: false, nodes: demoNodes(cluster.jobs, atMs), gone: [] };
    };
    const before = start().samples.get("gpu1:0")?.length ?? 0;
    const twice = play(start(), tell(NOW + 5000), tell(NOW + 5000)).model;
    expect(twice.samples.get("gpu1:0")).toHaveLength(before + 1);
    const many = play(start(), ...Array.from({ length: 300 }, (_, at) => tell(NOW + at * 5000))).model;
    expect(many.samples.get("gpu1:0")?.length).toBe(120);
  });

  test("a node that is gone leaves the list, one that changed is replaced", () => {
    const [first] = cluster.nodes;
    const changed = first ? [{ ...first, state: "DRAINED", reason: "fan" }] : [];
    const { model } = play(start(), { type: "nodes", isReset: false, nodes: changed, gone: ["gpu8"] });
    expect(model.nodes.map(({ name }) => name)).toEqual([1, 2, 3, 4, 5, 6, 7].map((at) => `gpu${at}`));
    expect(model.nodes[0]?.reason).toBe("fan");
  });
});

describe("command line", () => {
  const tab = (text: string) => play(start(), ...typed(`:${text}`, "tab")).model.prompt;
  test("Tab completes commands, jobs, nodes, GPUs, orders, columns and filters, and shows the choices", () => {
    expect(tab("dra")?.text).toBe("drain ");
    expect(tab("re")).toMatchObject({ text: "re", choices: ["release", "requeue", "resume"] });
    expect(tab("drain gpu")?.choices).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((at) => `gpu${at}`));
    expect(tab("drain gpu1 gp")?.choices).toEqual([]);
    expect(tab("pause gpu3:")?.choices).toHaveLength(8);
    expect(tab("sort pri")?.text).toBe("sort priority ");
    expect(tab("columns id,acc")?.text).toBe("columns id,account ");
    expect(tab("columns +acc")?.text).toBe("columns +account ");
    expect(tab("filter us")?.text).toBe("filter user:");
    expect(tab("cancel 10")?.choices.every((label) => label.startsWith("10"))).toBe(true);
    expect(tab("nonsense")).toMatchObject({ text: "nonsense", choices: [] });
  });

  test("columns: a list, additions, omissions, the usual ones; a wrong name gets a guess", () => {
    const columns = (text: string) => play(start(), ...typed(`:columns ${text}`, "enter")).model;
    expect(columns("id,name,account").shownColumns).toEqual(["id", "name", "account"]);
    expect(columns("+account -nodes").shownColumns).toEqual([
      ...["id", "partition", "name", "user", "state", "time", "gpus", "account", "place"],
    ]);
    expect(columns("default").shownColumns).toBe(null);
    expect(columns("acount").message?.text).toContain("account");
    expect(plainScreen(columns("id,submitted"))).toMatch(/JOBID SUBMITTED/);
  });

  test("a job that has left the queue is looked at by its number", () => {
    expect(play(start(), ...typed(":job 7", "enter")).effects).toEqual([{ type: "detail", jobId: 7 }]);
    expect(play(start(), ...typed(":log 7", "enter")).effects).toMatchObject([{ type: "log", job: { jobId: 7 } }]);
    expect(play(start(), ...typed(":cancel 7", "enter")).model.message?.text).toContain("no job 7");
  });
});

test("v marks a range from either end, and what is done is done to all of it", () => {
  const down = play(start(), ...keys("j", "v", "j", "j", "v")).model;
  const up = play(start(), ...keys("j", "j", "j", "v", "k", "k", "v")).model;
  expect([...down.marked].sort()).toEqual([...up.marked].sort());
  expect(down.marked.size).toBe(3);
  const asked = play(down, ...keys("c")).model.confirm;
  expect(asked?.jobIds.length).toBeGreaterThanOrEqual(3);
});

test("help begins with the view that it is asked in", () => {
  const headings = (...names: readonly string[]) =>
    plainScreen(play(start({ columns: 120 }), ...keys(...names, "?")).model).split("\n")[2];
  expect(headings()).toContain("Jobs");
  expect(headings("n")).toContain("Nodes and GPUs");
  expect(headings("h")).toContain("History");
  expect(headings("l")).toContain("Output");
  expect(headings("enter")).toContain("Details of a job");
});
