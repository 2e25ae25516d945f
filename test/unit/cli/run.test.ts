import { describe, expect, test } from "vitest";
import { type Command, UserError } from "../../../src/cli/context.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { type FakeOptions, fakeContext } from "./fake-context.ts";

function demo(run: Command["run"] = async () => 0, extra: Partial<Command> = {}): Command {
  return {
    name: "squeue",
    summary: "Show the queue",
    synopsis: "[OPTIONS...] [job...]",
    options: [{ long: "format", short: "o", argument: "required", metavar: "fmt", help: "columns to show" }],
    operands: "permute",
    examples: ["mgpu-squeue -o %i"],
    run,
    ...extra,
  };
}

async function check(command: Command, argv: string[], options: FakeOptions = {}) {
  const fake = fakeContext({ program: "mgpu-squeue", ...options });
  const code = await runCommand(command, argv, fake.context);
  return { code, out: fake.out(), err: fake.err() };
}

test("the command gets what was parsed, and its code is the result", async () => {
  const command = demo(async (parsed) => parsed.operands.length + (parsed.values.get("format")?.length ?? 0));
  expect(await check(command, ["a", "-ox", "b"])).toEqual({ code: 3, out: "", err: "" });
});

describe("what all commands have", () => {
  test("help, by its long name and -h", async () => {
    const { code, out, err } = await check(demo(), ["--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("Usage: mgpu-squeue [OPTIONS...] [job...]");
    expect(out).toMatch(/^ {2}-o, --format=fmt {14}columns to show$/m);
    expect(out).toContain("-h, --help");
    expect(out.split("\n").every((line) => line.length <= 80)).toBe(true);
    expect((await check(demo(), ["-h"])).out).toBe(out);
  });
  test("-h belongs to a command that uses the letter", async () => {
    const noheader = { long: "noheader", short: "h", argument: "none", help: "no header" } as const;
    const command = demo(async (parsed) => (parsed.values.has("noheader") ? 7 : 0), { options: [noheader] });
    expect((await check(command, ["-h"])).code).toBe(7);
    expect((await check(command, ["--help"])).out).not.toContain("-h, --help");
  });
  test("usage in short", async () => {
    const { out } = await check(demo(), ["--usage"]);
    expect(out).toBe("Usage: mgpu-squeue [-o fmt] [-h] [--usage] [-V] [-M name] [job...]\n");
  });
  test("version: ours, and under Slurm's names Slurm's shape", async () => {
    expect((await check(demo(), ["-V"])).out).toBe("mgpu 0.1.0 (commit unknown, protocol 1.0)\n");
    expect((await check(demo(), ["--version"], { program: "squeue" })).out).toMatch(/^slurm \d+\.\d+\.\d+\n$/);
  });
});

describe("wrong usage", () => {
  test("all problems, then where help is", async () => {
    const { code, out, err } = await check(
      demo(async () => 0),
      ["--foo", "-z"],
    );
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toBe(
      "mgpu-squeue: error: unrecognized option '--foo'\n" +
        "mgpu-squeue: error: invalid option -- 'z'\n" +
        'Try "mgpu-squeue --help" for more information\n',
    );
  });
  test("a real option of Slurm's that is missing here gets a hint", async () => {
    const { err } = await check(demo(), ["--reservation=x", "--foo"]);
    expect(err).toContain("mgpu-squeue: hint: Slurm has --reservation; this version of mgpu does not\n");
  });
  test("a mistyped one gets the nearest", async () => {
    const { err } = await check(demo(), ["--fromat=x", "--hepl"]);
    expect(err).toContain("mgpu-squeue: hint: did you mean --format, --help?\n");
  });
  test("mgpu exits with 2", async () => {
    expect((await check(demo(undefined, { name: "mgpu" }), ["--foo"])).code).toBe(2);
    expect((await check(demo(undefined, { name: "mgpu up" }), ["--foo"])).code).toBe(2);
  });
});

describe("failures", () => {
  const failing = (error: unknown): Command =>
    demo(async () => {
      throw error;
    });
  test("a user's mistake: every problem, the hint, the code", async () => {
    const error = new UserError(["--a: bad", "--b: bad"], "do this", 13);
    const expected = "mgpu-squeue: error: --a: bad\nmgpu-squeue: error: --b: bad\nmgpu-squeue: hint: do this\n";
    expect(await check(failing(error), [])).toEqual({ code: 13, out: "", err: expected });
  });
  const DOCTOR = "mgpu-squeue: hint: mgpu doctor looks closer\n";

  test("errors of a call, in words", async () => {
    const cases: [RpcError, string][] = [
      [new RpcError("NOT_FEASIBLE", "too much", "ask for less"), "error: too much\nmgpu-squeue: hint: ask for less\n"],
      [new RpcError("LOST_CONTACT", "ECONNRESET"), `error: lost contact with the controller: ECONNRESET\n${DOCTOR}`],
      [new RpcError("DEADLINE", ""), `error: the controller did not answer in time\n${DOCTOR}`],
    ];
    for (const [error, text] of cases) {
      expect(await check(failing(error), [])).toEqual({ code: 1, out: "", err: `mgpu-squeue: ${text}` });
    }
  });
  test("a bug: one line, and the stack only on request", async () => {
    const { code, err } = await check(failing(new TypeError("x is not a function")), []);
    expect(code).toBe(1);
    expect(err).toMatch(/^mgpu-squeue: error: internal error: x is not a function\nmgpu-squeue: hint: .*\n$/);
    const debug = await check(failing(new TypeError("x")), [], { environment: { MGPU_DEBUG: "1" } });
    expect(debug.err).toContain("run.test.ts");
  });
  test("output that can't be written is no bug", async () => {
    const full = Object.assign(new Error("standard output: No space left on device"), { name: "OutputFailed" });
    const expected = "mgpu-squeue: error: standard output: No space left on device\n";
    expect(await check(failing(full), [])).toEqual({ code: 1, out: "", err: expected });
  });
  test("a reader that is gone ends it quietly", async () => {
    const gone = Object.assign(new Error("closed"), { name: "OutputClosed" });
    expect(await check(failing(gone), [])).toEqual({ code: 141, out: "", err: "" });
  });
});

describe("-M", () => {
  const profile = { target: "gpu0:7411", identity: "user/ada/1", key: "00" };
  const stored = JSON.stringify({ default: null, clusters: { lab: profile, attic: profile } });
  const option = {
    ...({ long: "clusters", short: "M", argument: "required", metavar: "names", help: "" } as const),
    variables: { squeue: "SLURM_CLUSTERS" },
  } as const;

  /** What a listing prints: the cluster it was turned to, and what is left for itself to understand. */
  async function listing(argv: string[], { program = "mgpu-squeue", environment = {}, name = "squeue" } = {}) {
    const fake = fakeContext({
      program,
      environment: { HOME: "/home/ada", ...environment },
      files: { "/home/ada/.config/mgpu/clusters.json": stored },
    });
    let chosen = "none";
    let repeated: string | undefined;
    const context = {
      ...fake.context,
      chooseCluster(one: string) {
        chosen = one;
      },
    };
    const command = demo(
      async (parsed, { stdio, environment: seen, namedCluster }) => {
        repeated = namedCluster;
        if (chosen === "nowhere") throw new UserError('no profile is called "nowhere"');
        stdio.out(`jobs of ${chosen} ${parsed.values.get("clusters") ?? ""}${seen.SLURM_CLUSTERS ?? ""}\n`);
        return 0;
      },
      { name, options: [option, { long: "json", argument: "none", help: "" }] },
    );
    const code = await runCommand(command, argv, context);
    return { code, out: fake.out(), err: fake.err(), repeated };
  }

  test("what messages tell to type names it again", async () => {
    expect((await listing(["-M", "lab"])).repeated).toBe("lab");
    expect((await listing([])).repeated).toBeUndefined();
  });

  test("turns to a profile; under Slurm's name the listing says whose it is", async () => {
    expect((await listing(["-M", "lab"])).out).toBe("jobs of lab \n");
    expect((await listing(["-M", "lab"], { program: "squeue" })).out).toBe("CLUSTER: lab\njobs of lab \n");
    expect((await listing([], { environment: { SLURM_CLUSTERS: "lab" } })).out).toBe("jobs of lab \n");
  });

  test("names no profile: the command itself says what that is", async () => {
    expect((await listing(["-M", ""])).err).toBe(
      'mgpu-squeue: error: --clusters: expected the name of a cluster, got ""\n',
    );
    expect((await listing(["-M", "other"])).out).toBe("jobs of none other\n");
  });

  test("of several: one listing after the other under its name, all that there are, the worst code", async () => {
    const both = "CLUSTER: lab\njobs of lab \n\nCLUSTER: attic\njobs of attic \n";
    expect(await listing(["-M", "lab,attic"])).toEqual({ code: 0, out: both, err: "" });
    expect((await listing(["-M", "all"])).out).toBe(both);
    expect(await listing(["-M", "lab,nowhere"])).toMatchObject({
      code: 1,
      out: "CLUSTER: lab\njobs of lab \n\nCLUSTER: nowhere\n",
      err: 'mgpu-squeue: error: no profile is called "nowhere"\n',
    });
  });

  test("of several is refused where that can't be", async () => {
    expect((await listing(["-M", "lab,attic"], { name: "sbatch" })).err).toContain(
      "-M lab,attic: this command speaks to one cluster at a time",
    );
    expect((await listing(["-M", "lab,attic", "--json"])).err).toContain("--json is for one cluster at a time");
  });
});
