/** Submission: whatever is typed, reading it throws nothing, and a draft without problems fits the wire. */

import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { readDirectives } from "../../src/cli/directives.ts";
import { parseOptions } from "../../src/cli/getopt.ts";
import { draftJob, draftStep } from "../../src/cli/jobspec.ts";
import { readSubmit } from "../../src/cli/options/reading.ts";
import { submitOptions } from "../../src/cli/options/submit.ts";
import { jobRequest, stepOrder } from "../../src/protocol/job-schemas.ts";
import { fakeContext } from "../unit/cli/fake-context.ts";

const SUBMITTERS = ["srun", "sbatch", "salloc"] as const;
const KINDS = { srun: "run", sbatch: "batch", salloc: "alloc" } as const;

/** Texts that mean something to some option, and some that mean nothing. */
const text = fc.oneof(
  fc.constantFrom(
    ...["", "0", "1", "2", "4", "8", "1-3", "2-2", "1:30", "UNLIMITED", "2-12", "now+1hour", "16:00", "2020-01-01"],
    ...["gpu", "gpu:2", "a100:2", "a:1,b:2", "none", "gres/gpu=1,cpu=2", "closest", "single:2", "map_gpu:0,1"],
    ...["n1", "n[1-3]", "n1,n1", "n1:0,1", "./hosts", "a&b", "block", "cyclic", "arbitrary", "plane=2", "user"],
    ...["afterok:1", "singleton", "0-9%2", "0-100:7", "B:USR1@30", "END,FAIL", "ALL", "NONE", "A,B=1", "a:2", "1G"],
  ),
  fc.string({ maxLength: 12 }),
  fc.integer().map(String),
);

const command = fc.constantFrom(...SUBMITTERS).chain((submitter) =>
  fc.record({
    submitter: fc.constant(submitter),
    argv: fc.array(
      fc
        .record({ option: fc.constantFrom(...submitOptions(submitter)), value: text, attached: fc.boolean() })
        .map(({ option, value, attached }) =>
          option.argument === "none" || (option.argument === "optional" && !attached)
            ? `--${option.long}`
            : `--${option.long}=${value}`,
        ),
      { maxLength: 6 },
    ),
  }),
);

const variables = fc.dictionary(
  fc.constantFrom(
    ...["SLURM_JOB_ID", "SLURM_NTASKS", "SLURM_JOB_NUM_NODES", "SLURM_NTASKS_PER_NODE", "SLURM_GPUS_PER_TASK"],
    ...["SLURM_CPUS_PER_TASK", "SLURM_NTASKS_PER_GPU", "SLURM_DISTRIBUTION", "SLURM_HOSTFILE", "SLURM_UMASK"],
    ...["SBATCH_GRES", "SALLOC_TIMELIMIT", "SLURM_EXPORT_ENV"],
  ),
  text,
  { maxKeys: 4 },
);

const FILES = { "/work/./hosts": "n1\nn2 n[3-4]\n" };

test("jobs and steps", () => {
  fc.assert(
    fc.property(command, variables, ({ submitter, argv }, environment) => {
      const { context } = fakeContext({ program: submitter, environment, files: FILES });
      const wishes = readSubmit(submitter, parseOptions(submitOptions(submitter), argv, "stop"), context);
      const facts = { defaultName: "x", argv: ["x"], pty: null };
      const { job, problems } = draftJob(wishes, { ...facts, kind: KINDS[submitter] }, context);
      for (const problem of [...wishes.problems, ...problems]) expect(problem).not.toBe("");
      if (wishes.problems.length + problems.length === 0) {
        expect(v.safeParse(jobRequest, job).issues, argv.join(" ")).toBeUndefined();
      }
      if (submitter !== "srun") return;
      const { step, problems: stepProblems } = draftStep(wishes, facts, context);
      if (wishes.problems.length + stepProblems.length > 0) return;
      expect(v.safeParse(stepOrder, step).issues, argv.join(" ")).toBeUndefined();
    }),
    { numRuns: 3000 },
  );
});

test("no two counts of nodes and tasks contradict each other", () => {
  fc.assert(
    fc.property(command, ({ submitter, argv }) => {
      const { context } = fakeContext({ program: submitter, files: FILES });
      const wishes = readSubmit(submitter, parseOptions(submitOptions(submitter), argv, "stop"), context);
      const facts = { defaultName: "x", argv: ["x"], pty: null, kind: KINDS[submitter] };
      const { job, problems } = draftJob(wishes, facts, context);
      if (wishes.problems.length + problems.length > 0) return;
      const { tasks, nodes, nodeList, tasksPerNode } = job.request;
      if (nodes === null) return;
      expect(nodes.min).toBeLessThanOrEqual(nodes.max);
      expect(nodeList.length).toBeLessThanOrEqual(nodes.max);
      if (tasks === null) return;
      expect(nodes.max).toBeLessThanOrEqual(tasks);
      if (tasksPerNode > 0) expect(tasks).toBeLessThanOrEqual(tasksPerNode * nodes.max);
    }),
    { numRuns: 2000 },
  );
});

test("scripts: directives of any text", () => {
  const word = fc.oneof(
    fc.constantFrom("#SBATCH", "#MGPU", "#SLURM", "#", "--gpus=1", "-n", "'", '"', "\\", " "),
    text,
  );
  fc.assert(
    fc.property(fc.array(fc.array(word).map((words) => words.join(" "))), (lines) => {
      const { problems, components } = readDirectives(lines.join("\n"), "x", submitOptions("sbatch"));
      for (const problem of problems) expect(problem).toMatch(/^x: line \d+: /);
      for (const { values } of components) for (const texts of values.values()) expect(texts.length).toBeGreaterThan(0);
    }),
  );
});
