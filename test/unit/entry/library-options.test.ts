/** What a call of the library may say of a job: every wrong type in words, all at once. */

import { expect, test } from "vitest";
import { type JobRequest, MgpuError } from "../../../src/entry/library/api.ts";
import { jobIds, requestWords } from "../../../src/entry/library/options.ts";

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof MgpuError) return error.problems;
    throw error;
  }
  return [];
}

test("options become those of the commands", () => {
  const words = requestWords({
    ...{ command: ["python3", "a b.py"], gpus: 2, cpus: "4", condaEnv: "torch", hold: true, cwd: "/tmp" },
    ...{ environment: { A: "1" }, options: { exclusive: true, "mail-type": "END", nice: 5, requeue: false } },
  });
  expect(words).toEqual({
    options: [
      ...["--gpus=2", "--cpus-per-task=4", "--conda-env=torch", "--hold", "--chdir=/tmp", "--exclusive"],
      ...["--mail-type=END", "--nice=5"],
    ],
    program: ["python3", "a b.py"],
    line: "python3 'a b.py'",
    environment: { A: "1" },
  });
  expect(requestWords({ command: "a | b" }).program).toEqual(["/bin/sh", "-c", "a | b"]);
});

test.each([
  [null, ["expected an object with a command, got null"]],
  ["true", ['expected an object with a command, got "true"']],
  [{}, ["command: expected a text or an array of texts, got undefined"]],
  [{ command: "" }, ["command: it is empty"]],
  [{ command: [] }, ["command: it is empty"]],
  [{ command: ["a", 3] }, ["command: expected an array of texts, one is 3"]],
  [{ command: "a\0b" }, ["command: it has a zero byte"]],
  [{ command: "a", gpus: Number.NaN }, ["gpus: expected a number or a text, got NaN"]],
  [{ command: "a", gpus: {} }, ["gpus: expected a number or a text, got an object"]],
  [{ command: "a", name: "x\0" }, ["name: it has a zero byte"]],
  [{ command: "a", hold: "yes" }, ['hold: expected true or false, got "yes"']],
  [{ command: "a", gpu: 1 }, ["gpu: there is no such option; did you mean gpus?"]],
  [{ command: "a", zzzzzzzz: 1 }, ["zzzzzzzz: there is no such option; options: {...} takes any long option"]],
  [{ command: "a", environment: { A: 1 } }, ["environment.A: expected a text, got 1"]],
  [{ command: "a", environment: [] }, ["environment: expected an object, got an array"]],
  [{ command: "a", options: { nice: [] } }, ["options.nice: expected a number or a text, got an array"]],
  [
    { command: 7, gpus: [], name: () => 1 },
    [
      "gpus: expected a number or a text, got an array",
      "name: expected a text, got a function",
      "command: expected a text or an array of texts, got 7",
    ],
  ],
])("refuses %j", (request, problems) => {
  expect(problemsOf(() => requestWords(request as unknown as JobRequest))).toEqual(problems);
});

test.each([
  [12, []],
  [[1, 2], []],
  ["12", ['expected the number of a job, got "12"']],
  [0, ["expected the number of a job, got 0"]],
  [1.5, ["expected the number of a job, got 1.5"]],
  [[], ["expected the number of a job, got an empty array"]],
  [[1, null], ["expected the number of a job, got null"]],
])("job numbers: %j", (value, problems) => {
  expect(problemsOf(() => jobIds(value))).toEqual(problems);
});
