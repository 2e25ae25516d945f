/** mgpu and its subcommands: what they say, and their exit codes. */

import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/mgpu.ts";
import { NoController } from "../../../src/cli/connect.ts";
import type { CommandContext } from "../../../src/cli/context.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Result } from "../../../src/protocol/procedures.ts";
import type { Connected } from "../../../src/rpc/types.ts";
import { clusterPeer, NOW } from "../../golden/cluster.ts";
import { connected, type FakeClock, fakeContext, type Script } from "./fake-context.ts";

const nobody = (): NoController =>
  new NoController("can't reach the controller: /s: no", "start it with: mgpu up", true);
const foreign = (): NoController => new NoController("can't reach the controller: /s: permission denied", "hm", false);

/** Calls back in the time of the command under test. */
let later: (ms: number, callback: () => void) => void = () => {};

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
async function mgpu(
  argv: readonly string[],
  answers: readonly (Script | Error | Pick<Connected, "answer">)[] = [{}],
  prepare: (clock: FakeClock) => void = () => {},
): Promise<Outcome> {
  const fake = fakeContext({ program: "mgpu" });
  prepare(fake.clock);
  const starts: boolean[] = [];
  const connect = async (options: { start?: boolean } = {}): Promise<Connected> => {
    const answer = answers[Math.min(starts.length, answers.length - 1)] ?? {};
    starts.push(options.start ?? true);
    if (answer instanceof Error) throw answer;
    if ("answer" in answer) return { ...connected(clusterPeer()), ...answer };
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
    expect([code, starts]).toEqual([0, [false, true]]);
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
  test("that finds nothing running forgets the settings of one that crashed, if it was of this machine", async () => {
    const path = fakeContext({}).context.places.settingsFile;
    for (const [environment, left] of [
      [{ HOME: "/home/ada" }, []],
      [{ HOME: "/home/ada", MGPU_CONTROLLER: "unix:/x/s" }, [path]],
    ] as const) {
      const files = { [path]: "{}" };
      const { context } = fakeContext({
        program: "mgpu",
        environment,
        files,
        controller: () => Promise.reject(nobody()),
      });
      expect(await runCommand(command, ["down"], context)).toBe(0);
      expect(Object.keys(files)).toEqual(left);
    }
  });
  test("ends it, and waits until nobody listens", async () => {
    const script: Script = { "controller.shutdown": () => ({ cancelled: [] }) };
    const { code, out, starts } = await mgpu(["down"], [script, script, foreign(), nobody()]);
    expect([code, out]).toEqual([0, "mgpu has ended\n"]);
    expect(starts).toEqual([false, false, false, false]);
  });
  test("does not take another one for it that somebody started meanwhile", async () => {
    const script: Script = { "controller.shutdown": () => ({ cancelled: [] }) };
    const next = { ...connected(clusterPeer({ script: {} })).answer, pid: 2 };
    const { code, out, err } = await mgpu(["down"], [script, script, { answer: next }]);
    expect([code, out, err]).toEqual([0, "mgpu has ended\n", ""]);
  });
  test("with --force says after a while whom it waits for, and when KILL comes", async () => {
    for (const [jobs, text] of [
      [[12], "waiting for job 12 to end; KILL follows at 22:00:31"],
      [
        Array.from({ length: 12 }, (_, i) => i + 1),
        "waiting for jobs 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more to end; ",
      ],
      [[], "waiting for the daemons to end\n"],
    ] as const) {
      let now = 0;
      const script: Script = {
        "controller.shutdown": () => new Promise((resolve) => later(3000, () => resolve({ cancelled: [] }))),
        "controller.status": async () => ({ ...(await status()), ending: { jobs: [...jobs], killAt: now + 30_000 } }),
      };
      const { code, err } = await mgpu(["down", "--force"], [script, nobody()], (clock) => {
        later = (ms, callback) => void clock.after(ms, callback);
        now = clock.now() + 1000;
      });
      expect(code).toBe(0);
      expect(err).toContain(`mgpu down: ${text}`);
    }
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
    expect(err).toMatch(/^mgpu down: error: the controller is still there 15 s after it agreed to end\n/);
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
    expect(JSON.parse(out)).toEqual({ running: true, ...(await status()), problems: [] });
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
    const problem = "can't reach the controller: /s: no";
    expect(JSON.parse(out)).toEqual({ running: false, problem, problems: [problem] });
    const there = await mgpu(["status", "--json"], [foreign()]);
    expect(JSON.parse(there.out)).toMatchObject({
      running: true,
      problem: "can't reach the controller: /s: permission denied",
    });
  });
  test("damage is shown until it was seen to, and all is not well until then", async () => {
    const problems = ["the journal was damaged", "delete /s/damage.txt once you have seen to this damage"];
    const script: Script = { "controller.status": async () => ({ ...(await status()), problems }) };
    const shown = await mgpu(["status"], [script]);
    expect([shown.code, shown.out.split("\n").slice(-3)]).toEqual([
      1,
      [...problems.map((problem) => `problem  ${problem}`), ""],
    ]);
    const { code, out } = await mgpu(["status", "--json"], [script]);
    expect([code, JSON.parse(out).problems]).toEqual([1, problems]);
    expect((await mgpu(["up"], [script])).out).toMatch(/ {2}problem the journal was damaged\n/);
  });
  test("an end that waits for jobs is shown", async () => {
    const ending = { jobs: [3, 5], killAt: NOW };
    const script: Script = { "controller.status": async () => ({ ...(await status()), ending }) };
    expect((await mgpu(["status"], [script])).out).toContain("\nending   waiting for jobs 3, 5 to end; KILL ");
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
      expect(await mgpu([word])).toMatchObject({ code: 0, out: "mgpu 0.1.0 (commit unknown, protocol 1.0)\n" });
    }
  });
  test("help of the commands for jobs is the one that they show themselves", async () => {
    const launchers = readdirSync("bin").filter((name) => /^mgpu-(?!stepd)/.test(name));
    expect(launchers.length).toBeGreaterThan(4);
    for (const launcher of launchers) {
      const name = launcher.slice("mgpu-".length);
      const { command: one } = await import(`../../../src/cli/commands/${name}.ts`);
      const fake = fakeContext({ program: launcher });
      await runCommand(one, ["--help"], fake.context);
      for (const word of [name, launcher]) {
        expect(await mgpu(["help", word])).toMatchObject({ code: 0, out: fake.out() });
      }
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
    [["srun"], 'mgpu: error: unknown command "srun"\nmgpu: hint: the command is mgpu-srun, with a hyphen\n'],
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
