import { expect, test } from "vitest";
import { throughAllocation } from "../../../src/cli/commands/srun/own-allocation.ts";
import { parseOptions } from "../../../src/cli/getopt.ts";
import { submitOptions } from "../../../src/cli/options/submit.ts";

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
