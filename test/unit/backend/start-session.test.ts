/** What a session asks of Slurm: a batch job or a step, in words that its commands know. */

import { expect, test } from "vitest";
import type { SlurmPorts } from "../../../src/backend/slurm/ports.ts";
import { Slurm } from "../../../src/backend/slurm/slurm.ts";
import { startSession } from "../../../src/backend/slurm/start-session.ts";
import { submitOptions } from "../../../src/cli/options/submit.ts";
import type { ApartOrder, ProgramOrder, ProgramRun } from "../../../src/platform/programs.ts";

const STEM = "/home/slurm-sessions/1d";

/** A machine on which sbatch answers so, and a step's srun writes its session's file, or ends. */
function machineWith(answer: Partial<ProgramRun>, step: { code?: number; log?: string; home?: string } = {}) {
  const ran: (ProgramOrder | ApartOrder)[] = [];
  const files = new Map<string, string>();
  const ports = {
    hostname: "login1",
    ...{
      environment: {},
      launcherFolder: "/opt/mgpu/bin",
      nodePath: "/usr/bin/node",
      places: { home: step.home ?? "/home" },
    },
    random: { hex: () => "1d" },
    clock: { monotonic: () => 0, now: () => 0, after: (_ms: number, call: () => void) => void queueMicrotask(call) },
    sessionFiles: {
      list: () => [],
      read: (path: string) => files.get(path) ?? null,
      create: (path: string, text: string) => void files.set(path, text),
      remove: (path: string) => void files.delete(path),
    },
    programs: {
      find: (name: string) => `/bin/${name}`,
      run: async (order: ProgramOrder) => {
        ran.push(order);
        return { code: 0, stdout: "", stderr: "", ...answer };
      },
      startApart: async (order: ApartOrder) => {
        ran.push(order);
        const { order: asked } = JSON.parse(files.get(`${STEM}.json`) ?? "");
        files.set(`${STEM}.log`, step.log ?? "");
        const place = {
          cluster: "",
          jobId: 9,
          attempt: 1,
          stepId: 3,
          node: "n1",
          socket: "/s",
          token: "t",
          startAt: 1,
        };
        if (step.code === undefined) files.set(`${STEM}.json`, JSON.stringify({ order: asked, place }));
        return { exited: Promise.resolve(step.code ?? 0), signal: () => {} };
      },
    },
  } as unknown as SlurmPorts;
  return { ran, files, slurm: new Slurm(ports, { conf: "", bin: "", source: "a test" }) };
}

const CLUSTERS = { long: "clusters", short: "M", argument: "required" } as const;
const OPTIONS = [...submitOptions("srun").filter(({ long }) => long !== "clusters"), CLUSTERS];

function wish(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return {
    ...{ name: "srun", argv, options: OPTIONS, batchOptions: submitOptions("sbatch"), stops: true },
    ...{ profile: "", script: null, environment, size: { columns: 100, rows: 30 }, inactivityS: null },
  };
}

const EVENTS = { say: () => {}, signal: new AbortController().signal };

test("outside of a job it is a batch job: its options go to sbatch, those of steps to the srun in its script", async () => {
  const { ran, files, slurm } = machineWith({ stdout: "1234;centre\n", stderr: "sbatch: welcome\n" });
  const argv = [
    "--pty",
    "--gpus=2",
    "-c4",
    "--detach-keys=ctrl-a",
    "--cpu-bind=cores",
    "--wait=5",
    "-J",
    "seat",
    "bash",
    "it's",
  ];
  const environment = { SLURM_PARTITION: "long", SBATCH_ACCOUNT: "mine", HOME: "/h" };
  const started = await startSession(slurm, { ...wish(argv, environment), profile: "centre" }, EVENTS);
  expect(started).toMatchObject({ jobId: 1234, stepId: null, notes: ["welcome"] });
  const [order] = ran as ProgramOrder[];
  const own = ["--job-name=seat", "--no-requeue", `--output=${STEM}.log`, "--parsable"];
  expect(order?.args).toEqual(["--partition=long", "--gpus=2", "-c4", ...own]);
  expect(order?.environment).toEqual({ SLURM_PARTITION: "long", HOME: "/h" });
  const script = new TextDecoder().decode(order?.input);
  expect(script).toContain("export SBATCH_ACCOUNT=mine\n");
  expect(script).toContain(
    `exec "$srun" "$@" --job-name=seat --cpu-bind=cores --wait=5 -- "$node" "$program" ${STEM}.json bash 'it'\\''s'\n`,
  );
  expect(JSON.parse(files.get(`${STEM}.json`) ?? "")).toEqual({
    order: {
      ...{ argv: ["bash", "it's"], columns: 100, rows: 30, isOwnJob: true },
      awaited: { slurm: '["login1","","/bin/squeue"]', since: 0, stepOf: null },
    },
    place: null,
  });
});

test("who does not want it any more while sbatch is at it leaves no job behind", async () => {
  const { ran, files, slurm } = machineWith({ stdout: "1234;centre\n" });
  const stop = new AbortController();
  const started = startSession(slurm, wish(["--pty", "bash"]), { ...EVENTS, signal: stop.signal });
  stop.abort();
  await expect(started).rejects.toMatchObject({ problems: ["Job allocation 1234 has been revoked"] });
  expect((ran as ProgramOrder[]).map(({ file, args }) => [file, args.at(-1)])).toEqual([
    ["/bin/sbatch", "--parsable"],
    ["/bin/scancel", "1234"],
  ]);
  expect([...files.keys()]).toEqual([]);
});

test("within a job it is a step of it, whose srun goes on by itself", async () => {
  const { ran, slurm } = machineWith({});
  const started = await startSession(slurm, wish(["--pty", "-n1", "top"], { SLURM_JOB_ID: "9" }), EVENTS);
  expect(started).toMatchObject({ jobId: 9, stepId: 3 });
  const args = ["--job-name=top", "-n1", "--", "/usr/bin/node", "/opt/mgpu/dist/slurm-hold.cjs", `${STEM}.json`, "top"];
  expect(ran).toEqual([expect.objectContaining({ file: "/bin/srun", args, log: `${STEM}.log` })]);
});

test("who goes just as the step begins does not come to it, and it ends", async () => {
  const { slurm, files } = machineWith({});
  const stop = new AbortController();
  stop.abort();
  const step = startSession(slurm, wish(["--pty", "--jobid=9", "top"]), { ...EVENTS, signal: stop.signal });
  await expect(step).rejects.toMatchObject({ problems: ["srun ended with exit code 0"] });
  expect([...files.keys()]).toEqual([]);
});

test("a state folder with a % in its path is no pattern to sbatch", async () => {
  const { ran, slurm } = machineWith({ stdout: "12\n" }, { home: "/100%/home" });
  await startSession(slurm, wish(["--pty", "bash"]), EVENTS);
  expect((ran as ProgramOrder[])[0]?.args).toContain("--output=/100%%/home/slurm-sessions/1d.log");
});

test("what Slurm refuses is said in srun's words, and leaves no file behind", async () => {
  const refused = "sbatch: error: No account\nsbatch: error: Batch job submission failed: Invalid account\n";
  const { files, slurm } = machineWith({ code: 1, stderr: refused });
  await expect(startSession(slurm, wish(["--pty", "bash"]), EVENTS)).rejects.toMatchObject({
    problems: ["No account", "Unable to allocate resources: Invalid account"],
  });
  const inside = machineWith({}, { code: 1, log: "srun: error: Unable to create step for job 9: gone\n" });
  const step = startSession(inside.slurm, wish(["--pty", "--jobid=9", "bash"]), EVENTS);
  await expect(step).rejects.toMatchObject({ problems: ["Unable to create step for job 9: gone"] });
  expect([...files.keys(), ...inside.files.keys()]).toEqual([]);
});

test("options that leave no room for a terminal are refused, all at once", async () => {
  const { ran, slurm } = machineWith({});
  const started = startSession(
    slurm,
    wish(["--pty", "-o", "f", "--label", "--progress", "--allowed-gpus=1", "bash"]),
    EVENTS,
  );
  await expect(started).rejects.toMatchObject({
    problems: [
      "--output can't be used with --pty",
      "--label can't be used with --pty",
      expect.stringMatching(/^--allowed-gpus can't be said/),
    ],
  });
  expect(ran).toEqual([]);
});
