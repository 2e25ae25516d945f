/** strigger says what to use instead, whatever is asked of it. */

import { expect, test } from "vitest";
import { command } from "../../../src/cli/commands/strigger.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { fakeContext } from "./fake-context.ts";

test.each([[[]], [["--set", "--jobid=12", "--fini", "--program=/x"]], [["--get"]]])("%j", async (argv) => {
  const fake = fakeContext({ program: "mgpu-strigger" });
  expect(await runCommand(command, argv, fake.context)).toBe(1);
  expect(fake.err()).toContain("mgpu-strigger: error: mgpu has no triggers\n");
  expect(fake.err()).toContain("--mail-type");
});
