import { describe, expect, test } from "vitest";
import { readDirectives } from "../../../src/cli/directives.ts";
import { submitOptions } from "../../../src/cli/options/submit.ts";

function read(...lines: string[]) {
  const script = ["#!/bin/bash", ...lines].join("\n");
  const { components, problems, warnings } = readDirectives(script, "job.sh", submitOptions("sbatch"));
  const shown = components.map(({ values }) =>
    Object.fromEntries([...values].map(([long, texts]) => [long, texts.join("|")])),
  );
  return { values: shown[0], components: shown, problems, warnings, label: components[0].label };
}

/** Shape of a directive line, and what it must give. */
const SHAPES: [line: string, values: Record<string, string>][] = [
  ["#SBATCH --time=5", { time: "5" }],
  ["#SBATCH --time 5", { time: "5" }],
  ["#SBATCH --job-name            x", { "job-name": "x" }],
  ["#SBATCH --requeue             ", { requeue: "" }],
  ["#SBATCH --no-requeue ", { "no-requeue": "" }],
  ["#SBATCH -J name", { "job-name": "name" }],
  ["#SBATCH -Jname", { "job-name": "name" }],
  ["#SBATCH -e d/x-%J.err", { error: "d/x-%J.err" }],
  ["#SBATCH -n 1", { ntasks: "1" }],
  ["#SBATCH --job-name=w-0 --requeue --time=5 --mem=100", { "job-name": "w-0", requeue: "", time: "5", mem: "100" }],
  ['#SBATCH --job-name="x"', { "job-name": "x" }],
  ['#SBATCH --job-name="a b c"', { "job-name": "a b c" }],
  ["#SBATCH --job-name=a\\ b", { "job-name": "a b" }],
  ['#SBATCH --job-name="say \\"hi\\""', { "job-name": 'say "hi"' }],
  ["#SBATCH --partition='p'", { partition: "p" }],
  ["#SBATCH --export=A,B,C", { export: "A,B,C" }],
  ["#SBATCH -D .", { chdir: "." }],
  ["#SBATCH --time=5 # five minutes --mem=7", { time: "5" }],
  ["#SBATCH --time=5#five", { time: "5" }],
  ['#SBATCH -o "out#1"', { output: "out#1" }],
  ["#SBATCH -o out\\#1", { output: "out#1" }],
  ["#SBATCH --job-name='a b'c\"d e\"", { "job-name": "a bcd e" }],
  ["#SBATCH -n2 \\", { ntasks: "2" }],
  ["#SBATCH --begin now+1hour -D .", { begin: "now+1hour", chdir: "." }],
  ["#SBATCH --signal B:USR2@30", { signal: "B:USR2@30" }],
  ["#SBATCH --array=0-2%2", { array: "0-2%2" }],
  ["#SBATCH --tasks-per-node=1", { "ntasks-per-node": "1" }],
  ["#SBATCH --exclusive --mem=0", { exclusive: "", mem: "0" }],
  ["#SBATCH --cpu-freq=high --hint=nomultithread", { "cpu-freq": "high", hint: "nomultithread" }],
  ["#SBATCH --help --version", {}],
  ["#SBATCH\t--time=5\t-n2", { time: "5", ntasks: "2" }],
  ["#SBATCH--time=5", { time: "5" }],
  ["#MGPU --gpus=2", { gpus: "2" }],
  ["#sbatch --time=5", {}],
  ["#SLURM --time=5", { time: "5" }],
  ["##SBATCH --time=5", {}],
  ["# SBATCH --time=5", {}],
  [" #SBATCH --time=5", {}],
  ["#SBATCH", {}],
  ["#SBATCH -J ''", { "job-name": "" }],
];

test.each(SHAPES)("%s", (line, values) => {
  const result = read(line);
  expect(result.problems).toEqual([]);
  expect(result.values).toEqual(values);
});

describe("where they stand", () => {
  test("comments and blank lines in between are passed, the first other line ends it", () => {
    const { values } = read("### a", "", "#SBATCH -n 1", "   ", "  # c", "#SBATCH -c 2", "cd x", "#SBATCH -c 3");
    expect(values).toEqual({ ntasks: "1", "cpus-per-task": "2" });
  });
  test("the last of several wins by its place in the list", () => {
    expect(read("#SBATCH -n 1", "#MGPU -n 2").values).toEqual({ ntasks: "1|2" });
  });
  test("a problem names file and line", () => {
    const { problems, label } = read("", "#SBATCH --foo", "#SBATCH -n 1 oops", "#SBATCH --wrap=x", "#SBATCH hetjob x");
    expect(problems).toEqual([
      "job.sh: line 3: unrecognized option '--foo'",
      "job.sh: line 4: Invalid directive found in batch script: oops",
      "job.sh: line 5: --wrap can't stand in a script",
      "job.sh: line 6: hetjob stands alone on its line, got x",
    ]);
    expect(label("ntasks")).toBe("job.sh: line 4: --ntasks");
  });
  test("a quote that is not closed", () => {
    expect(read('#SBATCH --job-name="a b').problems).toEqual(['job.sh: line 2: Unmatched `"` in [--job-name="a b]']);
  });
  test("words that are no options, as Slurm refuses them", () => {
    expect(read("#SBATCHn2").problems).toEqual(["job.sh: line 2: Invalid directive found in batch script: n2"]);
    expect(read("#SBATCH : -n2").problems).toEqual(["job.sh: line 2: Unexpected `:` in [: -n2]"]);
  });
  test("separators part the components of a heterogeneous job", () => {
    const { components, problems, warnings } = read(
      ...["#SBATCH -n2 -J a", "#SBATCH hetjob", "#SBATCH -n3", "#SBATCH --mem=5", "#SBATCH packjob"],
    );
    expect(components).toEqual([{ ntasks: "2", "job-name": "a" }, { ntasks: "3", mem: "5" }, {}]);
    expect(problems).toEqual([]);
    expect(warnings).toEqual(["job.sh: line 6: packjob is the old word: better write hetjob"]);
  });
});

test("other systems' directives are noticed, #SLURM is warned of", () => {
  const all = (...lines: string[]) => readDirectives(lines.join("\n"), "job.sh", submitOptions("sbatch"));
  expect(all("#!/bin/sh", "#PBS -l nodes=2", "#BSUB -n 3").foreignLine).toBe(2);
  expect(all("#!/bin/sh", "#PBSX", "true", "#PBS -l x").foreignLine).toBe(0);
  expect(all("#!/bin/sh", "#SLURM -n2").warnings).toEqual([
    "job.sh: line 2: #SLURM is read as #SBATCH; better write #SBATCH",
  ]);
});
