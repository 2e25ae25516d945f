/** What people who wait see: a place in the queue, and how an array goes on. */

import { describe, expect, test } from "vitest";
import { createSpeaker } from "../../../src/cli/attach/speaker.ts";
import { Waiting } from "../../../src/cli/attach/waiting.ts";
import { createProgress } from "../../../src/cli/output/progress.ts";
import { fakeContext, settle } from "./fake-context.ts";

const TERMINAL = { terminal: { columns: 60, rows: 24 } };

function waitingWith(options: Parameters<typeof fakeContext>[0]) {
  const fake = fakeContext({ program: "mgpu-srun", ...options });
  const told = { reason: "waits for 2 GPUs to be free", position: "number 2 of 5 in the queue" };
  const asked = { place: 0 };
  const waiting = new Waiting({
    ...{ jobId: 7, clock: fake.clock, speaker: createSpeaker(fake.context, false) },
    ask: async () => told.reason,
    async place() {
      asked.place++;
      return { position: told.position, start: "should start by 14:30:00" };
    },
  });
  return { fake, told, asked, waiting };
}

describe("a job that waits", () => {
  test("where nobody watches: plain lines, one for each change, and the place is asked for once a minute", async () => {
    const { fake, told, asked, waiting } = waitingWith({});
    void waiting.look();
    await settle();
    const first =
      "mgpu-srun: job 7 waits for 2 GPUs to be free; number 2 of 5 in the queue; should start by 14:30:00\n";
    expect(fake.err()).toBe(first);
    await fake.clock.advance(50_000);
    expect([fake.err(), asked.place]).toEqual([first, 1]);
    told.position = "number 1 of 5 in the queue";
    await fake.clock.advance(10_000);
    expect(fake.err()).toBe(first + first.replace("number 2", "number 1"));
    waiting.stop();
  });
  test("on a terminal: one line, never longer than it, cleared at the end", async () => {
    const { fake, told, waiting } = waitingWith(TERMINAL);
    void waiting.look();
    await settle();
    expect(fake.err()).toBe("\r\x1b[Kmgpu-srun: job 7 waits for 2 GPUs to be free; number 2 of 5");
    told.position = "number 1 of 5 in the queue";
    await fake.clock.advance(10_000);
    expect(fake.err().split("\r\x1b[K").at(-1)).toMatch(/number 1/);
    waiting.stop();
    expect(fake.err().endsWith("\r\x1b[K")).toBe(true);
    expect(fake.err()).not.toContain("\n");
  });
});

describe("--progress", () => {
  const task = (id: number, state: string) => ({ id, state });
  test("an array: a bar and the counts, said once each", () => {
    const fake = fakeContext({ program: "mgpu-sbatch" });
    const progress = createProgress("job 12", 4, createSpeaker(fake.context, false));
    progress.see(task(12, "PENDING"));
    progress.see(task(13, "RUNNING"));
    progress.see(task(13, "RUNNING"));
    progress.see(task(13, "FAILED"));
    progress.see(task(14, "COMPLETED"));
    progress.close();
    expect(fake.err().split("\n")).toEqual([
      "mgpu-sbatch: job 12 [--------------------] 0/4 ended, 0 running",
      "mgpu-sbatch: job 12 [--------------------] 0/4 ended, 1 running",
      "mgpu-sbatch: job 12 [#####---------------] 1/4 ended, 1 failed, 0 running",
      "mgpu-sbatch: job 12 [##########----------] 2/4 ended, 1 failed, 0 running",
      "",
    ]);
  });
  test("one job: its state, and why it waits; on a terminal the line is written over", () => {
    const fake = fakeContext({ program: "mgpu-sbatch", ...TERMINAL });
    const progress = createProgress("job 12", 1, createSpeaker(fake.context, false));
    progress.see({ ...task(12, "PENDING"), reasonText: "waits for 2 GPUs" });
    progress.see(task(12, "RUNNING"));
    progress.close();
    expect(fake.err()).toBe(
      "\r\x1b[Kmgpu-sbatch: job 12 PENDING: waits for 2 GPUs\r\x1b[Kmgpu-sbatch: job 12 RUNNING\r\x1b[K",
    );
  });
});
