/** What is made of the answers of Slurm's commands, and of their failures. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { slurmHandlers } from "../../../src/backend/slurm/handlers.ts";
import { slurmConnection } from "../../../src/backend/slurm/peer.ts";
import type { SlurmPorts } from "../../../src/backend/slurm/ports.ts";
import { Slurm } from "../../../src/backend/slurm/slurm.ts";
import type { ProgramRun } from "../../../src/platform/programs.ts";

const NO_SESSIONS = { places: { home: "/home" }, sessionFiles: { list: () => [] } };

/** A Slurm whose commands answer so, by their names. */
function slurmWith(answers: Readonly<Record<string, Partial<ProgramRun>>>) {
  const ports = {
    ...NO_SESSIONS,
    environment: {},
    clock: { now: () => 0, monotonic: () => 0 },
    programs: {
      find: (name: string) => `/bin/${name}`,
      run: async ({ file }: { file: string }) => ({
        ...{ code: 0, stdout: "", stderr: "" },
        ...answers[file.slice("/bin/".length)],
      }),
    },
  } as unknown as SlurmPorts;
  return slurmHandlers(new Slurm(ports, { conf: "", bin: "", source: "a test" }));
}

test("what Slurm has and mgpu does not read is refused: an empty list would say that there is none", async () => {
  const handlers = slurmWith({}) as unknown as Readonly<Record<string, (params: object) => Promise<unknown>>>;
  for (const [method, where] of [
    ["partitions.list", "mgpu-sinfo and mgpu-scontrol show partition"],
    ["reservations.list", "mgpu-scontrol show reservation"],
    ["licenses.list", "mgpu-scontrol show licenses"],
  ] as const) {
    await expect(handlers[method]?.({})).rejects.toThrow(where);
  }
});

test("accounting that fails is no empty past; accounting that is not there is one", async () => {
  const history = (sacct: Partial<ProgramRun>) => {
    const handlers = slurmWith({ squeue: { stdout: '{"jobs": []}' }, sacct });
    const filter = { ids: [7], users: [], states: [], names: [], partitions: [], accounts: [], qos: [] };
    const params = { filter: { ...filter, since: null, until: null }, steps: false };
    return (handlers["jobs.history"] ?? expect.unreachable())(
      params as never,
      { send: async () => {} } as never,
      null as never,
    );
  };
  const off = { code: 1, stderr: "Slurm accounting storage is disabled\n" };
  await expect(history(off)).resolves.toMatchObject({ damaged: 0 });
  const broken = { code: 1, stderr: "sacct: error: Problem talking to the database: No error\n" };
  await expect(history(broken)).rejects.toThrow("Problem talking to the database");
});

test("what only mgpu's own controller does is refused with what it is, and where to turn", async () => {
  const { peer } = slurmConnection({} as never, "1", () => 0);
  const refused = await peer.call("alloc.list", {}).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: "DISABLED",
    message: "the cluster is Slurm: mgpu alloc borrows machines for a cluster of mgpu's own",
    hint: expect.stringContaining("-M local"),
  });
});

test("Slurm is not asked a second time before it has answered, however long that takes", async () => {
  const open: ((run: ProgramRun) => void)[] = [];
  let ms = 0;
  const ports = {
    ...NO_SESSIONS,
    environment: {},
    clock: { now: () => ms, monotonic: () => ms },
    programs: { find: () => "/bin/squeue", run: () => new Promise<ProgramRun>((resolve) => open.push(resolve)) },
  } as unknown as SlurmPorts;
  const slurm = new Slurm(ports, { conf: "", bin: "", source: "a test" });
  const first = slurm.jobs();
  ms = 60_000;
  const second = slurm.jobs();
  expect(open).toHaveLength(1);
  open[0]?.({ code: 0, stdout: '{"jobs": []}', stderr: "" });
  expect([await first, await second]).toEqual([[], []]);
  ms = 60_000 * 60;
  void slurm.jobs();
  expect(open).toHaveLength(2);
});

test("a job that is forgotten between two looks has not ended as it was seen last", async () => {
  const fixture = join(import.meta.dirname, "../../fixtures/slurm-json/squeue-22.05.json");
  const answers = [readFileSync(fixture, "utf8"), '{"jobs": []}'];
  let ms = 0;
  const ports = {
    ...NO_SESSIONS,
    environment: {},
    clock: {
      now: () => ms,
      monotonic: () => ms,
      after(afterMs: number, call: () => void) {
        queueMicrotask(() => {
          ms += afterMs;
          call();
        });
        return () => {};
      },
    },
    programs: {
      find: () => "/bin/squeue",
      run: async () => ({ code: 0, stdout: answers.shift() ?? expect.unreachable(), stderr: "" }),
    },
  } as unknown as SlurmPorts;
  const { peer } = slurmConnection(
    slurmHandlers(new Slurm(ports, { conf: "", bin: "", source: "a test" })),
    "1",
    () => 0,
  );
  const states: string[] = [];
  const watched = peer.stream("job.watch", { jobId: 1003, owner: false }, ({ row }) => void states.push(row.state));
  await expect(watched).rejects.toThrow("job 1003 left Slurm's queue between two looks");
  expect(states).toEqual(["RUNNING"]);
});

test("what a user's variables say of Slurm's output does not reach what is read, and lists of tasks come whole", async () => {
  let seen: Readonly<Record<string, string | undefined>> = {};
  const ports = {
    environment: { SLURM_BITSTR_LEN: "8", SQUEUE_STATES: "RUNNING", SLURM_TIME_FORMAT: "relative", HOME: "/h" },
    clock: { now: () => 0, monotonic: () => 0 },
    programs: {
      find: () => "/bin/squeue",
      run: async ({ environment }: { environment: typeof seen }) => {
        seen = environment;
        return { code: 0, stdout: '{"jobs": []}', stderr: "" };
      },
    },
  } as unknown as SlurmPorts;
  await new Slurm(ports, { conf: "", bin: "", source: "a test" }).jobs();
  expect(seen).toMatchObject({ SLURM_BITSTR_LEN: "0", SLURM_TIME_FORMAT: "%s", HOME: "/h" });
  expect(seen.SQUEUE_STATES).toBeUndefined();
});
