import { describe, expect, test } from "vitest";
import { startChild } from "../../../src/platform/child.ts";

const environment = { PATH: process.env.PATH ?? "" };

describe("a program run here", () => {
  test("tells its exit code, or the signal that it died of", async () => {
    const seven = await startChild({ argv: ["sh", "-c", "exit 7"], environment, isApart: false });
    expect(await seven.exited).toEqual({ code: 7, signal: 0 });
    const killed = await startChild({ argv: ["sh", "-c", "kill -TERM $$"], environment, isApart: false });
    expect(await killed.exited).toEqual({ code: 0, signal: 15 });
  });
  test("gets the environment that it is given, and no other", async () => {
    const script = '[ "$OWN" = yes ] && [ -z "$HOME" ]';
    const child = await startChild({
      argv: ["sh", "-c", script],
      environment: { ...environment, OWN: "yes" },
      isApart: false,
    });
    expect(await child.exited).toEqual({ code: 0, signal: 0 });
  });
  test("that is missing is Node's error", async () => {
    await expect(startChild({ argv: ["no-such-program"], environment, isApart: true })).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
  test("apart: a signal reaches all its processes, and comes too late without harm", async () => {
    const child = await startChild({ argv: ["sh", "-c", "sleep 1000 & wait"], environment, isApart: true });
    child.signal(15);
    expect(await child.exited).toEqual({ code: 0, signal: 15 });
    child.signal(15);
  });
});
