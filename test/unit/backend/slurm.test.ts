/** What is made of the answers of Slurm's commands, and of their failures. */

import { expect, test } from "vitest";
import { slurmHandlers } from "../../../src/backend/slurm/handlers.ts";
import type { SlurmPorts } from "../../../src/backend/slurm/ports.ts";
import { Slurm } from "../../../src/backend/slurm/slurm.ts";
import type { ProgramRun } from "../../../src/platform/programs.ts";

/** A Slurm whose commands answer so, by their names. */
function slurmWith(answers: Readonly<Record<string, Partial<ProgramRun>>>) {
  const ports = {
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
