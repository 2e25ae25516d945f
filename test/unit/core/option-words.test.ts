/** The options that are lists of words: licenses, mail, limits, distribution, CPUs, node counts. */

import { describe, expect, test } from "vitest";
import {
  formatCpuBind,
  formatExtraNodeInfo,
  parseCpuBind,
  parseExtraNodeInfo,
  parseHint,
} from "../../../src/core/cpu-bind.ts";
import { formatDistribution, parseDistribution } from "../../../src/core/distribution.ts";
import { formatLicenses, parseLicenses } from "../../../src/core/licenses.ts";
import { formatMailTypes, parseMailTypes } from "../../../src/core/mail-types.ts";
import { formatNodeCounts, parseNodeCounts } from "../../../src/core/node-counts.ts";
import { formatPropagate, parsePropagate, RLIMITS } from "../../../src/core/rlimits.ts";
import { outcome, parsedValue } from "../support/outcome.ts";

describe("--licenses", () => {
  test.each([
    [
      "a:2,b",
      [
        { name: "a", count: 2 },
        { name: "b", count: 1 },
      ],
      "a:2,b:1",
    ],
    ["nastran@slurmdb:12", [{ name: "nastran@slurmdb", count: 12 }], "nastran@slurmdb:12"],
    ["a,a:2", [{ name: "a", count: 3 }], "a:3"],
    ["a:0", [], ""],
    ["", [], ""],
  ])("%s", (text, wishes, printed) => {
    expect(parsedValue(parseLicenses(text))).toEqual(wishes);
    expect(formatLicenses(parsedValue(parseLicenses(text)))).toBe(printed);
  });
  test.each([
    ["a:", 'expected licenses such as matlab:2,ansys, got "a:"'],
    ["a b", 'expected licenses such as matlab:2,ansys, got "a b"'],
    ["a,", 'expected licenses such as matlab:2,ansys, got ""'],
    ["a|b", 'expected licenses such as matlab:2,ansys, got "a|b"'],
    ["a:1000001", '"a:1000001" is more than the 1000000 possible'],
  ])("%j is refused", (text, problem) => {
    expect(outcome(parseLicenses(text))).toBe(problem);
  });
});

describe("--mail-type", () => {
  test.each([
    ["NONE", "NONE"],
    ["end", "END"],
    ["END,BEGIN,END", "BEGIN,END"],
    ["ALL", "BEGIN,END,FAIL,REQUEUE,INVALID_DEPEND,STAGE_OUT"],
    ["ALL,TIME_LIMIT_90", "BEGIN,END,FAIL,REQUEUE,INVALID_DEPEND,STAGE_OUT,TIME_LIMIT_90"],
    ["time_limit,time_limit_80,TIME_LIMIT_50,ARRAY_TASKS", "TIME_LIMIT,TIME_LIMIT_80,TIME_LIMIT_50,ARRAY_TASKS"],
  ])("%s", (text, printed) => {
    expect(formatMailTypes(parsedValue(parseMailTypes(text)))).toBe(printed);
  });
  test("refused", () => {
    expect(outcome(parseMailTypes("NONE,END"))).toBe('NONE stands alone, got "NONE,END"');
    expect(outcome(parseMailTypes("END,STOP"))).toMatch(/^expected NONE, ALL or some of BEGIN, .*, got "STOP"$/);
    expect(outcome(parseMailTypes(""))).toMatch(/got ""$/);
    expect(outcome(parseMailTypes("END,".repeat(65)))).toMatch(/^more than 64 members/);
  });
});

describe("--propagate", () => {
  test.each([
    ["ALL", "ALL"],
    ["", "ALL"],
    ["none", "NONE"],
    ["STACK,RLIMIT_CORE,stack", "CORE,STACK"],
    [RLIMITS.join(","), "ALL"],
  ])("%s", (text, printed) => {
    expect(formatPropagate(parsedValue(parsePropagate(text)))).toBe(printed);
  });
  test("refused", () => {
    expect(outcome(parsePropagate("CORE,ALL"))).toBe('ALL stands alone, got "CORE,ALL"');
    expect(outcome(parsePropagate("NICE"))).toMatch(/^expected ALL, NONE or some of AS, CORE, .*, got "NICE"$/);
  });
});

describe("--distribution", () => {
  const nothing = { tasks: null, sockets: null, cores: null, pack: null };
  test.each([
    ["block", { ...nothing, tasks: "block" }, "block"],
    ["*", nothing, "*"],
    ["*:*:*", nothing, "*"],
    ["cyclic:block", { ...nothing, tasks: "cyclic", sockets: "block" }, "cyclic:block"],
    [
      "block:cyclic:fcyclic",
      { ...nothing, tasks: "block", sockets: "cyclic", cores: "fcyclic" },
      "block:cyclic:fcyclic",
    ],
    ["block:*:block", { ...nothing, tasks: "block", cores: "block" }, "block:*:block"],
    ["plane=4", { ...nothing, tasks: { plane: 4 } }, "plane=4"],
    ["arbitrary", { ...nothing, tasks: "arbitrary" }, "arbitrary"],
    ["Block,Pack", { ...nothing, tasks: "block", pack: true }, "block,Pack"],
    ["*,NoPack", { ...nothing, pack: false }, "*,NoPack"],
  ])("%s", (text, distribution, printed) => {
    expect(parsedValue(parseDistribution(text))).toEqual(distribution);
    expect(formatDistribution(parsedValue(parseDistribution(text)))).toBe(printed);
  });
  test("the size of planes from elsewhere", () => {
    expect(parsedValue(parseDistribution("plane", 8)).tasks).toEqual({ plane: 8 });
    expect(outcome(parseDistribution("plane"))).toBe('expected a size such as plane=4, got "plane"');
  });
  test.each([
    ["", /^expected block, cyclic,/],
    ["fcyclic", /^expected block, cyclic,/],
    ["block:block:block:block", /^expected block, cyclic,/],
    ["block:plane", /^expected block, cyclic,/],
    ["block,Packed", /^expected block, cyclic,/],
    ["plane=", /^expected block, cyclic,/],
    ["plane=0", /^expected a plane of at least 1 task/],
    ["plane=4:block", /^expected plane=size without anything else/],
  ])("%j is refused", (text, problem) => {
    expect(outcome(parseDistribution(text))).toMatch(problem);
  });
});

describe("--cpu-bind", () => {
  test.each([
    ["none", null, "none", [], "none"],
    ["no", null, "none", [], "none"],
    ["q", false, null, [], "quiet"],
    ["verbose", true, null, [], "verbose"],
    ["v,cores", true, "cores", [], "verbose,cores"],
    ["quiet,rank_ldom", false, "rank_ldom", [], "quiet,rank_ldom"],
    ["map_cpu:0*2,0x3", null, "map_cpu", ["0", "0", "3"], "map_cpu:0*2,3"],
    ["mask_cpu:0x0F*2,f0", null, "mask_cpu", ["0xf", "0xf", "0xf0"], "mask_cpu:0xf*2,0xf0"],
    ["Threads", null, "threads", [], "threads"],
    ["help", null, "help", [], "help"],
  ])("%s", (text, verbose, kind, list, printed) => {
    const bind = parsedValue(parseCpuBind(text));
    expect(bind).toEqual({ verbose, kind, list });
    expect(formatCpuBind(bind)).toBe(printed);
  });
  test.each([
    ["", /^expected quiet, verbose, none, .*, got ""$/],
    ["cores,sockets", /^expected quiet, verbose/],
    ["cores:1", /^expected quiet, verbose/],
    ["map_cpu", /^missing list for "--cpu-bind=map_cpu:<list>"$/],
    ["map_cpu:a", /^expected a number such as 3, got "a"/],
    ["mask_cpu:0x", /^expected a hexadecimal mask such as 0xf, got "0x"/],
    ["mask_cpu:0", /^expected a hexadecimal mask/],
  ])("%j is refused", (text, problem) => {
    expect(outcome(parseCpuBind(text))).toMatch(problem);
  });
});

test("--hint", () => {
  expect(
    ["compute_bound", "memory_bound", "multithread", "NoMultithread", "help"].map((text) => outcome(parseHint(text))),
  ).toEqual(["compute_bound", "memory_bound", "multithread", "nomultithread", "help"]);
  expect(outcome(parseHint("fast"))).toBe(
    'expected compute_bound, memory_bound, multithread, nomultithread, help, got "fast"',
  );
});

describe("--extra-node-info", () => {
  const two = { min: 2, max: null };
  test.each([
    ["2", { sockets: two, cores: null, threads: null }, "2:*:*"],
    ["2:4-8", { sockets: two, cores: { min: 4, max: 8 }, threads: null }, "2:4-8:*"],
    ["*:*:2", { sockets: null, cores: null, threads: two }, "*:*:2"],
  ])("%s", (text, info, printed) => {
    expect(parsedValue(parseExtraNodeInfo(text))).toEqual(info);
    expect(formatExtraNodeInfo(parsedValue(parseExtraNodeInfo(text)))).toBe(printed);
  });
  test.each(["", "0", "2:", "4-2", "1:2:3:4", "a"])("%j is refused", (text) => {
    expect(outcome(parseExtraNodeInfo(text))).toMatch(/^expected /);
  });
});

describe("--nodes", () => {
  test.each([
    ["4", { min: 4, max: 4, sizes: null }, "4"],
    ["2-8", { min: 2, max: 8, sizes: null }, "2-8"],
    ["1k", { min: 1024, max: 1024, sizes: null }, "1024"],
    ["3,1,2", { min: 1, max: 3, sizes: null }, "1-3"],
  ])("%s", (text, counts, printed) => {
    expect(parsedValue(parseNodeCounts(text))).toEqual(counts);
    expect(formatNodeCounts(parsedValue(parseNodeCounts(text)))).toBe(printed);
  });
  test.each([
    ["1,3-5", 1, 5, "1,3-5"],
    ["1-15:4", 1, 13, "1-13:4"],
    ["1-4:2", 1, 3, "1,3"],
  ])("%s is a set", (text, min, max, printed) => {
    const counts = parsedValue(parseNodeCounts(text));
    expect([counts.min, counts.max, formatNodeCounts(counts)]).toEqual([min, max, printed]);
  });
  test.each([
    ["0", 'expected a node count of at least 1, got "0"'],
    ["0,2", 'expected node counts of at least 1, got "0,2"'],
    ["1,x", 'expected node counts such as 4, 2-8, 1,3-5 or 1-15:4, got "1,x"'],
    ["8-2", "maximum node count 2 is less than minimum node count 8"],
  ])("%j is refused", (text, problem) => {
    expect(outcome(parseNodeCounts(text))).toBe(problem);
  });
});
