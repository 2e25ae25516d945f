import { describe, expect, test } from "vitest";
import { parseMultiProgram } from "../../../src/cli/multi-prog.ts";

const FILE = `###
# Slurm's own example
4-6       hostname
1,7       echo  task:%t
0,2-3     echo  offset:%o
`;

const argvOf = (text: string, tasks: number | null, extra: readonly string[] = []) =>
  parseMultiProgram(text, "f", tasks, extra).programs.map(({ argv }) => argv.join(" "));

describe("a file of --multi-prog", () => {
  test("the manual's example", () => {
    expect(argvOf(FILE, 8)).toEqual([
      ...["echo offset:0", "echo task:1", "echo offset:1", "echo offset:2"],
      ...["hostname", "hostname", "hostname", "echo task:7"],
    ]);
  });
  test("quotes, continued lines, the other tasks, and further arguments", () => {
    const text = "0 sh -c 'echo a  b'\n* prog \\\n  --x \"%t 1\"\n";
    expect(parseMultiProgram(text, "f", 3, ["more"])).toEqual({
      problems: [],
      programs: [
        { task: 0, argv: ["sh", "-c", "echo a  b", "more"] },
        { task: 1, argv: ["prog", "--x", "1 1", "more"] },
        { task: 2, argv: ["prog", "--x", "2 1", "more"] },
      ],
    });
  });
  test("programs for more tasks than there are", () => {
    expect(argvOf("0-9 x %t\n", 2)).toEqual(["x 0", "x 1"]);
    expect(argvOf("0-2 x\n", null)).toEqual(["x", "x", "x"]);
  });
  test.each([
    ["0 x\n", 2, "Configuration file f invalid, no record for task id 1"],
    ["0 x\n0 y\n", 1, "f: line 2: task 0 has a program already"],
    ["0\n", 1, "f: line 1: expected a program after 0"],
    ["4-0 x\n", 1, 'f: line 1: expected task numbers such as 0,2-3 or *, got "4-0"'],
    ["a x\n", 1, 'f: line 1: expected task numbers such as 0,2-3 or *, got "a"'],
    ["* x\n", null, "f: line 1: * needs the number of tasks: say it with -n"],
  ])("%j", (text, tasks, problem) => {
    expect(parseMultiProgram(text, "f", tasks, []).problems).toEqual([problem]);
  });
});
