/** mgpu and its subcommands: what they say, and their exit codes. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/mgpu.ts";
import { NoController } from "../../../src/cli/connect.ts";
import type { CommandContext } from "../../../src/cli/context.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Result } from "../../../src/protocol/procedures.ts";
import type { Connected } from "../../../src/rpc/types.ts";
import { clusterPeer, NOW } from "../../golden/cluster.ts";
import { connected, fakeContext, type Script } from "./fake-context.ts";

const nobody = (): NoController =>
  new NoController("can't reach the controller: /s: no", "start it with: mgpu up", true);
const foreign = (): NoController => new NoController("can't reach the controller: /s: permission denied", "hm", false);

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Each time a command connected, whether it allowed to start a controller. */
  readonly starts: readonly boolean[];
}

/**
 * Runs `mgpu` with some words.
 * @param answers of one connection after the other, the last one kept: what its controller answers, or an error
 */
async function mgpu(argv: readonly string[], answers: readonly (Script | Error)[] = [{}]): Promise<Outcome> {
  const fake = fakeContext({ program: "mgpu" });
  const starts: boolean[] = [];
  const connect = async (options: { start?: boolean } = {}): Promise<Connected> => {
    const answer = answers[Math.min(starts.length, answers.length - 1)] ?? {};
    starts.push(options.start ?? true);
    if (answer instanceof Error) throw answer;
    return connected(clusterPeer({ script: answer }));
  };
  const context: CommandContext = { ...fake.context, connect };
  let isOver = false;
  const running = runCommand(command, argv, context).finally(() => {
    isOver = true;
  });
  for (let i = 0; i < 5000 && !isOver; i++) await fake.clock.advance(10);
  return { code: await running, out: fake.out(), err: fake.err(), starts };
}

async function status(): Promise<Result<"controller.status">> {
  return await clusterPeer().call("controller.status", {});
}

describe("mgpu up", () => {
  test("says what runs already, and starts nothing", async () => {
    const { code, out, starts } = await mgpu(["up"]);
    expect([code, starts]).toEqual([0, [false]]);
    expect(out.split("\n").slice(0, 4)).toEqual([
      "mgpu runs already: mgpuctld 0.1.0, pid 1",
      "  socket  /run/user/1000/mgpu/controller.sock",
      "  state   /home/ada/.local/state/mgpu",
      "  node    n1: mixed, 4 GPUs (a100), 8 CPUs, 64000 MiB of memory",
    ]);
  });
  test("starts one if none runs", async () => {
    const { code, out, starts } = await mgpu(["up"], [nobody(), {}]);
    expect([code, starts]).toEqual([0, [false, true]]);
    expect(out).toMatch(/^mgpu runs: mgpuctld 0\.1\.0, pid 1\n/);
  });
  test("tells of a problem and of missing nodes", async () => {
    const script: Script = {
      "nodes.list": () => ({ nodes: [], now: NOW }),
      "controller.status": async () => ({ ...(await status()), problem: "the disk is full" }),
    };
    const { code, out } = await mgpu(["up"], [script]);
    expect(code).toBe(0);
    expect(out).toMatch(/ {2}node {4}none has registered yet\n {2}problem the disk is full\n$/);
  });
  test("does not touch what belongs to somebody else", async () => {
    const { code, out, err, starts } = await mgpu(["up"], [foreign()]);
    expect([code, out, starts]).toEqual([1, "", [false]]);
    expect(err).toBe("mgpu up: error: can't reach the controller: /s: permission denied\nmgpu up: hint: hm\n");
  });
});

describe("mgpu down", () => {
  test("has nothing to do if nothing runs", async () => {
    expect(await mgpu(["down"], [nobody()])).toEqual({
      code: 0,
      out: "mgpu is not running\n",
      err: "",
      starts: [false],
    });
  });
  test("ends it, and waits until nobody listens", async () => {
    const script: Script = { "controller.shutdown": () => ({ cancelled: [] }) };
    const { code, out, starts } = await mgpu(["down"], [script, script, foreign(), nobody()]);
    expect([code, out]).toEqual([0, "mgpu has ended\n"]);
    expect(starts).toEqual([false, false, false, false]);
  });
  test("with --force says which jobs it cancelled", async () => {
    const script: Script = { "controller.shutdown": ({ force }) => ({ cancelled: force ? [12, 13] : [] }) };
    expect((await mgpu(["down", "--force"], [script, nobody()])).out).toBe(
      "mgpu has ended; 2 jobs cancelled: 12, 13\n",
    );
  });
  test("is refused while jobs run, and lists them", async () => {
    const script: Script = {
      "controller.shutdown": () => {
        throw new RpcError("JOBS_RUNNING", "jobs 11, 12, 13 are still running", "use --force to end them");
      },
    };
    expect(await mgpu(["down"], [script])).toEqual({
      code: 1,
      out: "",
      err: [
        "mgpu down: error: jobs 11, 12, 13 are still running",
        "JOBID  USER             NAME                      NODELIST",
        "11     ada              cancelled                 n2",
        "12     bob-the-builder  two nodes, two GPUs each  n[1-2]",
        "13     ada              bash                      n1",
        "mgpu down: hint: use --force to end them",
        "",
      ].join("\n"),
      starts: [false],
    });
  });
  test("takes an answer that the end overtook for what it is", async () => {
    const script: Script = {
      "controller.shutdown": () => {
        throw new RpcError("LOST_CONTACT", "the connection ended");
      },
    };
    expect(await mgpu(["down"], [script, nobody()])).toMatchObject({ code: 0, out: "mgpu has ended\n" });
  });
  test("passes on other refusals", async () => {
    const script: Script = {
      "controller.shutdown": () => {
        throw new RpcError("PERMISSION", "Access/permission denied");
      },
    };
    expect(await mgpu(["down"], [script])).toMatchObject({
      code: 1,
      err: "mgpu down: error: Access/permission denied\n",
    });
  });
  test("says so if the daemon does not end", async () => {
    const script: Script = { "controller.shutdown": () => ({ cancelled: [] }) };
    const { code, err } = await mgpu(["down"], [script]);
    expect(code).toBe(1);
    expect(err).toMatch(/^mgpu down: error: the controller still listens 15 s after it agreed to end\n/);
  });
});

describe("mgpu status", () => {
  test("shows daemons and jobs", async () => {
    const { code, out, starts } = await mgpu(["status"]);
    expect([code, starts]).toEqual([0, [false]]);
    expect(out).toBe(
      [
        "DAEMON      NODE  PID  STATE  UPTIME      VERSION",
        "mgpuctld    -     41   up     1-01:00:00  0.1.0",
        "mgpud       n1    41   up     1-01:00:00  0.1.0",
        "mgpu-stepd  n1    52   up     1:02        0.1.0",
        "",
        "jobs     2 running, 2 waiting, 11 ended",
        "cluster  lab",
        "state    /home/ada/.local/state/mgpu",
        "socket   /run/user/1000/mgpu/controller.sock",
        "",
      ].join("\n"),
    );
  });
  test("--json", async () => {
    const { code, out } = await mgpu(["status", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ running: true, ...(await status()) });
  });
  test("a daemon with a problem is not well", async () => {
    const script: Script = { "controller.status": async () => ({ ...(await status()), problem: "the disk is full" }) };
    const { code, out } = await mgpu(["status"], [script]);
    expect(code).toBe(1);
    expect(out).toMatch(/\nproblem {2}the disk is full\n$/);
  });
  test("no controller: what was tried, exit code 1, and nothing is started", async () => {
    expect(await mgpu(["status"], [nobody()])).toEqual({
      code: 1,
      out: "",
      err: "mgpu status: error: can't reach the controller: /s: no\nmgpu status: hint: start it with: mgpu up\n",
      starts: [false],
    });
    const { code, out, err } = await mgpu(["status", "--json"], [nobody()]);
    expect([code, err]).toEqual([1, ""]);
    expect(JSON.parse(out)).toEqual({ running: false, problem: "can't reach the controller: /s: no" });
  });
});

describe("mgpu itself", () => {
  test("help and version", async () => {
    const { out } = await mgpu(["--help"]);
    expect(out).toMatch(/^Usage: mgpu COMMAND \[OPTIONS\.\.\.\]\n/);
    for (const word of ["mgpu up", "mgpu down", "mgpu status"]) expect(out).toContain(`\n  ${word}`);
    expect((await mgpu(["help"])).out).toBe(out);
    expect((await mgpu(["help", "down"])).out).toMatch(/^Usage: mgpu down \[OPTIONS\.\.\.\]\n[\s\S]*--force/);
    expect((await mgpu(["down", "--help"])).out).toBe((await mgpu(["help", "down"])).out);
    for (const word of ["--version", "-V", "version"]) {
      expect(await mgpu([word])).toMatchObject({ code: 0, out: "mgpu 0.1.0\n" });
    }
  });
  test("without a command it shows its help and ends with 2", async () => {
    const { code, out, err } = await mgpu([]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/^Usage: mgpu COMMAND/);
  });
  test.each([
    [["statsu"], 'mgpu: error: unknown command "statsu"\nmgpu: hint: did you mean "mgpu status"?\n'],
    [["help", "dwon"], 'mgpu: error: unknown command "dwon"\nmgpu: hint: did you mean "mgpu down"?\n'],
    [["elephant"], 'mgpu: error: unknown command "elephant"\nmgpu: hint: mgpu help lists the commands\n'],
    [
      ["down", "now"],
      'mgpu down: error: unexpected word "now"\nmgpu down: hint: mgpu down --help shows what it takes\n',
    ],
    [
      ["down", "--fast"],
      "mgpu down: error: unrecognized option '--fast'\nTry \"mgpu down --help\" for more information\n",
    ],
    [["--fast"], "mgpu: error: unrecognized option '--fast'\nTry \"mgpu --help\" for more information\n"],
  ])("%j", async (argv, err) => {
    expect(await mgpu(argv)).toEqual({ code: 2, out: "", err, starts: [] });
  });
});
