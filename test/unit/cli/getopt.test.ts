import { describe, expect, test } from "vitest";
import { countOf, isGiven, lastValue, parseOptions } from "../../../src/cli/getopt.ts";
import type { OperandMode, Option } from "../../../src/cli/option.ts";

const OPTIONS: readonly Option[] = [
  { long: "all", short: "a", argument: "none", help: "" },
  { long: "almost", argument: "none", help: "" },
  { long: "format", short: "o", argument: "required", help: "" },
  { long: "user", short: "u", argument: "required", help: "" },
  { long: "noheader", short: "h", argument: "none", help: "" },
  { long: "json", argument: "optional", help: "" },
  { long: "detail", short: "d", argument: "optional", help: "" },
  { long: "ntasks-per-node", aliases: ["tasks-per-node"], argument: "required", help: "" },
  { long: "nodes", aliases: ["nodes-count"], argument: "required", help: "" },
];

interface Expected {
  values?: Record<string, string[]>;
  operands?: string[];
  problems?: string[];
}

function check(argv: string[], expected: Expected, mode: OperandMode = "permute"): void {
  const { values, operands, problems, words } = parseOptions(OPTIONS, argv, mode);
  expect(words).toEqual(argv);
  expect({ values: Object.fromEntries(values), operands, problems }).toEqual({
    values: {},
    operands: [],
    problems: [],
    ...expected,
  });
}

describe("long options", () => {
  test("values attached and apart", () => {
    check(["--format=%i", "--user", "ada"], { values: { format: ["%i"], user: ["ada"] } });
    check(["--format="], { values: { format: [""] } });
    check(["--format=a=b"], { values: { format: ["a=b"] } });
    check(["--format", "--all"], { values: { format: ["--all"] } });
    check(["--format", "--"], { values: { format: ["--"] } });
  });
  test("a unique prefix is enough, an exact name always wins", () => {
    check(["--form=x", "--no"], {
      values: { format: ["x"] },
      problems: ["option '--no' is ambiguous; possibilities: '--noheader' '--nodes' '--nodes-count'"],
    });
    check(["--noh", "--all"], { values: { noheader: [""], all: [""] } });
    check(["--al=1"], { problems: ["option '--al=1' is ambiguous; possibilities: '--all' '--almost'"] });
  });
  test("a name that begins another one's is still itself", () => {
    const options: Option[] = ["open-mode", "open", "opening"].map((long) => ({ long, argument: "none", help: "" }));
    const { values, problems } = parseOptions(options, ["--open", "--open-m", "--ope"], "stop");
    expect([...values.keys()]).toEqual(["open", "open-mode"]);
    expect(problems).toEqual(["option '--ope' is ambiguous; possibilities: '--open-mode' '--open' '--opening'"]);
  });
  test("an alias means its option, and is no rival of it", () => {
    check(["--tasks-per-node=2", "--ntasks-per-node", "3"], { values: { "ntasks-per-node": ["2", "3"] } });
    check(["--nodes=2", "--nodes-c=3", "--node=4"], { values: { nodes: ["2", "3", "4"] } });
  });
  test("optional values are attached or absent", () => {
    check(["--json", "x", "--json=list"], { values: { json: ["", "list"] }, operands: ["x"] });
  });
  test("problems, all of them, in getopt_long's words", () => {
    check(["--foo=3", "--all=1", "-z", "--user"], {
      problems: [
        "unrecognized option '--foo=3'",
        "option '--all' doesn't allow an argument",
        "invalid option -- 'z'",
        "option '--user' requires an argument",
      ],
    });
    check(["-ao"], { values: { all: [""] }, problems: ["option requires an argument -- 'o'"] });
  });
});

describe("short options", () => {
  test("clusters and attached values", () => {
    check(["-ahoFMT", "-uada", "-o", " %A"], {
      values: { all: [""], noheader: [""], format: ["FMT", " %A"], user: ["ada"] },
    });
    check(["-dd", "-d", "x"], { values: { detail: ["d", ""] }, operands: ["x"] });
    check(["-o-1"], { values: { format: ["-1"] } });
    check(["-aé"], { values: { all: [""] }, problems: ["invalid option -- 'é'"] });
  });
});

describe("operands", () => {
  test("permute: options may follow", () => {
    check(["12", "--user", "ada", "-", "13"], { values: { user: ["ada"] }, operands: ["12", "-", "13"] });
    check(["1", "--", "-a", "--x"], { operands: ["1", "-a", "--x"] });
  });
  test("stop: everything from the first operand on is the program's", () => {
    const mode = "stop";
    check(
      ["-a", "prog", "-a", "--", "--foo"],
      { values: { all: [""] }, operands: ["prog", "-a", "--", "--foo"] },
      mode,
    );
    check(["--", "-a", "--"], { operands: ["-a", "--"] }, mode);
    check(["-", "-a"], { operands: ["-", "-a"] }, mode);
    check(["", "-a"], { operands: ["", "-a"] }, mode);
  });
});

test("the order of keys is that of the last appearance", () => {
  const parsed = parseOptions(OPTIONS, ["-a", "-h", "-a"], "permute");
  expect([...parsed.values.keys()]).toEqual(["noheader", "all"]);
});

test("questions about what was read", () => {
  const parsed = parseOptions(OPTIONS, ["-aa", "-ox", "-oy"], "permute");
  expect(countOf(parsed, "all")).toBe(2);
  expect(countOf(parsed, "json")).toBe(0);
  expect(lastValue(parsed, "format")).toBe("y");
  expect(lastValue(parsed, "user")).toBeUndefined();
  expect(isGiven(parsed, "all")).toBe(true);
  expect(isGiven(parsed, "user")).toBe(false);
});
