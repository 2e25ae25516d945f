import { expect, test } from "vitest";
import { runThroughAllocation, throughAllocation } from "../../../src/cli/commands/srun/own-allocation.ts";
import { parseOptions } from "../../../src/cli/getopt.ts";
import { submitOptions } from "../../../src/cli/options/submit.ts";
import { fakeContext, settle } from "./fake-context.ts";

const argv = (line: string) =>
  throughAllocation(parseOptions(submitOptions("srun"), line.split(" "), "stop"), "/opt").join(" ");

test("what salloc knows is for the job, the rest for the step", () => {
  expect(argv("-N2 --gpus=1 --bcast=/tmp/x -l -Q --overcommit ./prog --gpus=9 -x")).toBe(
    "/opt/mgpu-salloc --quiet --no-bell --job-name=prog --nodes=2 --gpus=1 --quiet --overcommit " +
      "/opt/mgpu-srun --bcast=/tmp/x --label --quiet -- ./prog --gpus=9 -x",
  );
});

test("a name of the user's own stays, and a copy without a place of its own is one", () => {
  expect(argv("-J mine --bcast ./prog")).toBe(
    "/opt/mgpu-salloc --quiet --no-bell --job-name=mine /opt/mgpu-srun --bcast -- ./prog",
  );
});

test("signals for us are passed on, those of the keyboard arrive by themselves; its end is ours", async () => {
  const signals: number[] = [];
  let end: (exit: { code: number; signal: number }) => void = () => {};
  const exited = new Promise<{ code: number; signal: number }>((resolve) => {
    end = resolve;
  });
  const startChild = async () => ({ exited, signal: (signal: number) => void signals.push(signal) });
  const fake = fakeContext({ startChild });
  const typed = parseOptions(submitOptions("srun"), ["--bcast", "x"], "stop");
  const code = runThroughAllocation(typed, fake.context);
  await settle();
  fake.signal("SIGINT");
  fake.signal("SIGTERM");
  expect(signals).toEqual([15]);
  end({ code: 0, signal: 15 });
  expect(await code).toBe(143);
});
