import { describe, expect, test } from "vitest";
import { parseLimits, parseLogin, realShell } from "../../../src/platform/shell.ts";

test("limits as /proc shows them", () => {
  const text = [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max cpu time              unlimited            unlimited            seconds   ",
    "Max stack size            8388608              unlimited            bytes     ",
    "Max open files            1024                 524288               files     ",
    "Max locked memory         18446744073709551614 18446744073709551614 bytes     ",
    "Max realtime timeout      unlimited            unlimited            us        ",
  ].join("\n");
  expect(parseLimits(text)).toEqual({ CPU: -1, STACK: 8388608, NOFILE: 1024, MEMLOCK: -1 });
  expect(parseLimits("")).toEqual({});
});

test("variables stand behind the marker, whatever login scripts print before", () => {
  const marker = "\n--mgpu-environment--\0";
  expect(parseLogin(`hello A=1${marker}A=2\0B=x\ny=z\0PWD=/\0_=/bin/env\0`)).toEqual({ A: "2", B: "x\ny=z" });
  expect(parseLogin(`hello${marker}`)).toBeNull();
  expect(parseLogin("A=1\0")).toBeNull();
});

describe("this machine's", () => {
  const shell = realShell();
  test("mask and limits", () => {
    expect(shell.umask()).toBe(process.umask());
    expect(Object.keys(shell.limits()).sort()).toEqual(
      ["AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "RSS", "STACK"].sort(),
    );
  });
  test("login shell tells its variables, and not ours", async () => {
    process.env.MGPU_TEST_ONLY_HERE = "1";
    const variables = await shell.loginEnvironment(15_000);
    delete process.env.MGPU_TEST_ONLY_HERE;
    expect(variables).toMatchObject({ HOME: expect.any(String), PATH: expect.stringContaining("/bin") });
    expect(variables).not.toHaveProperty("MGPU_TEST_ONLY_HERE");
  });
  test("login shell that is not given time says nothing", async () => {
    expect(await shell.loginEnvironment(0)).toBeNull();
  });
});
