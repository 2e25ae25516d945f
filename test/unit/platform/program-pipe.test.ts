/** A connection through a program. */

import { expect, test } from "vitest";
import { connectThroughProgram } from "../../../src/platform/program-pipe.ts";
import { linedFrames } from "../../../src/util/lined.ts";

function through(script: string) {
  const got: Uint8Array[] = [];
  let sayClosed: (problem: string) => void = () => {};
  const closed = new Promise<string>((resolve) => {
    sayClosed = resolve;
  });
  let sayData: () => void = () => {};
  const data = new Promise<void>((resolve) => {
    sayData = resolve;
  });
  const events = {
    data: (chunk: Uint8Array) => {
      got.push(chunk);
      sayData();
    },
    drain: () => {},
    close: (problem: string) => sayClosed(problem),
  };
  const order = { file: "/bin/sh", args: ["-c", script], environment: { PATH: "/usr/bin:/bin" } };
  return { got, closed, data, connected: connectThroughProgram(order, events) };
}

test("what is sent goes in, what comes back in frames is heard, and closing ends the program", async () => {
  const { got, closed, data, connected } = through("echo welcome; printf '\\nMGPU-RELAY-1\\n'; exec cat");
  const connection = await connected;
  for (const frame of linedFrames(Uint8Array.of(1, 10, 0, 255))) connection.write(frame);
  await data;
  expect(got.map((chunk) => [...chunk])).toEqual([[1, 10, 0, 255]]);
  connection.close();
  expect(await closed).toBe("");
});

test("a program that ends before anybody is at the other end is told of in its own words", async () => {
  const refused = through("echo 'srun: error: Slurm job 7 has expired' >&2; exit 1");
  await expect(refused.connected).rejects.toThrow("srun: error: Slurm job 7 has expired");
  await expect(through("exit 3").connected).rejects.toThrow("/bin/sh ended with exit code 3");
});

test("one that ends later closes the connection with what it complained of", async () => {
  const { connected, closed } = through("printf '\\nMGPU-RELAY-1\\n'; read -r x; echo gone >&2; exit 1");
  (await connected).write(Uint8Array.of(10));
  expect(await closed).toBe("gone");
});
