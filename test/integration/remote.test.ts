/** Machines that join over TLS: a controller, a node and a client, each with a state folder and home of its own. */

import { createHash } from "node:crypto";
import { chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kill, TestCluster } from "./support/cluster.ts";

const CONTROLLER = new TestCluster({ env: { MGPU_NODE_ID: "c1" } });
const NODE = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
const CLIENT = new TestCluster();

/** `mgpu join ...` or `mgpu login ...` of what a command printed, without `mgpu`. */
function lineOf(text: string): string[] {
  const line = text.split("\n").find((one) => /^mgpu (join|login) /.test(one));
  if (!line) throw new Error(`no line to paste in: ${text}`);
  return line.split(" ").slice(1);
}

function logOf({ home }: TestCluster, daemon: string): string {
  return readFileSync(join(home, `log/${daemon}.log`), "utf8");
}

function portOf([, line = ""]: readonly string[]): number {
  return Number(/:(\d+)#/.exec(line)?.[1]);
}

let joinLine: string[];

beforeAll(async () => {
  joinLine = lineOf(await CONTROLLER.ok("mgpu", ["up", "--listen", "127.0.0.1:0"]));
  expect(await NODE.ok("mgpu", joinLine)).toMatch(/^node n1 of mgpu at 127.0.0.1:\d+: connected\nn1 at .*\n├─ GPU 0 /);
  const issued = await CONTROLLER.ok("mgpu", ["key", "issue", "laptop", "--user", "root", "--role", "operator"]);
  await CLIENT.ok("mgpu", lineOf(issued));
}, 60_000);

afterAll(async () => {
  await NODE.run("mgpu", ["leave", "--force"]);
  await CONTROLLER.stop();
  await CLIENT.stop();
  await NODE.stop();
}, 60_000);

describe("from a third machine", () => {
  test("tasks run on both nodes; output, input and exit code come through", async () => {
    const ran = await CLIENT.run("mgpu-srun", [
      "-N2",
      "-n2",
      "-l",
      "sh",
      "-c",
      "echo $SLURMD_NODENAME; exit $SLURM_PROCID",
    ]);
    expect([ran.stdout.split("\n").sort(), ran.code]).toEqual([["", "0: c1", "1: n1"], 1]);
    const echoed = await CLIENT.run("mgpu-srun", ["-w", "n1", "md5sum"], { input: "x".repeat(3_000_000) });
    expect(echoed.stdout).toBe(`${createHash("md5").update("x".repeat(3_000_000)).digest("hex")}  -\n`);
    const long = await CLIENT.run("mgpu-srun", ["-w", "n1", "head", "-c", "5000000", "/dev/zero"]);
    expect(long.stdout.length).toBe(5_000_000);
  });

  test("streams go straight to a node, and through the controller where it lets nobody in", async () => {
    const isStraight = async (): Promise<boolean> => {
      const { stderr } = await CLIENT.run("mgpu-srun", ["-v", "-w", "n1", "true"]);
      return /^mgpu-srun: streams of n1: straight to 127\.0\.0\.1:\d+$/m.test(stderr);
    };
    // A machine with too much to do may be slower than the controller.
    await CLIENT.until(isStraight, "the node is reached straight");
    expect(logOf(NODE, "mgpud")).toMatch(
      /"who":"operator\/laptop\/1","from":"127.0.0.1","step":"\d+\.1\.0","message":"stream opened"/,
    );
    const closed = new TestCluster({ env: { MGPU_NODE_ID: "n3", MGPU_NODE_LISTEN: "none" } });
    try {
      await closed.ok("mgpu", lineOf(await CONTROLLER.ok("mgpu", ["key", "token"])));
      const relayed = await CLIENT.run("mgpu-srun", ["-v", "-w", "n3", "cat"], { input: "through and back" });
      expect([relayed.stdout, relayed.code]).toEqual(["through and back", 0]);
      expect(relayed.stderr).toContain(`streams of n3: through the controller at 127.0.0.1:${portOf(joinLine)}\n`);
      expect(readFileSync(join(CONTROLLER.home, "log/audit.log"), "utf8")).toMatch(/"node":"n3".*"stream relayed"/);
    } finally {
      await closed.run("mgpu", ["leave", "--force"]);
      await closed.stop();
      await CONTROLLER.ok("mgpu", ["nodes", "remove", "n3"]);
    }
  }, 60_000);

  test("a file goes to the nodes before a job's tasks need it, and a program with them", async () => {
    const file = CLIENT.write("data.bin", "payload ".repeat(200_000));
    const held = await CLIENT.hold(["-w", "n1"]);
    const there = join(NODE.work, "data.bin");
    const sent = await CLIENT.run("mgpu-sbcast", ["-j", `${held.jobId}`, file, there]);
    expect([sent.code, sent.stderr]).toEqual([0, ""]);
    expect(readFileSync(there, "utf8")).toBe("payload ".repeat(200_000));
    const again = await CLIENT.run("mgpu-sbcast", ["-j", `${held.jobId}`, file, there]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("File exists")]);
    await held.release();
    const program = CLIENT.write("tool", "#!/bin/sh\necho tool on $SLURMD_NODENAME\n");
    chmodSync(program, 0o755);
    const ran = await CLIENT.run("mgpu-srun", ["-w", "n1", `--bcast=${join(NODE.work, "tool")}`, program]);
    expect([ran.stdout, ran.code]).toEqual(["tool on n1\n", 0]);
  }, 60_000);

  test("a script on a node speaks to the controller with a key of its job's, which dies with it", async () => {
    const out = join(NODE.work, "inner.txt");
    const script = [
      "#!/bin/sh",
      "mgpu-srun -l hostname -s",
      "mgpu-squeue -h -o %i",
      "echo $MGPU_CONTROLLER",
      "mgpu down",
    ];
    const job = await CLIENT.submit(script.join("\n"), ["-w", "n1", "-o", out]);
    await CONTROLLER.untilState(job, "COMPLETED", "FAILED");
    const text = readFileSync(out, "utf8");
    expect(text).toMatch(new RegExp(`^0: \\S+\n${job}\n`));
    expect(text).toContain("controller.shutdown takes an administrator's key");
    const MGPU_CONTROLLER = /^\S+#job\S+$/m.exec(text)?.[0] ?? "";
    const late = await CLIENT.run("mgpu-squeue", [], { env: { MGPU_CONTROLLER } });
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining("it does not know this key")]);
  });

  test("a file of jobs that the controller does not see is watched by the command itself", async () => {
    const path = CLIENT.write("jobs.txt", "script,gpus\nwork.sh,0\n");
    CLIENT.write("work.sh", "true\n");
    const feed = CLIENT.start("mgpu", ["feed", "jobs.txt", "--watch", "--hold"]);
    await CLIENT.until(() => /1 job queued: \d+\n$/.test(feed.stdout()), feed.stderr);
    expect(feed.stderr()).toContain(
      "the controller is on another machine and does not see this file: this command watches jobs.txt while it runs",
    );
    CLIENT.append(path, "work.sh --never,0\nwork.sh,0,,\n");
    await CLIENT.until(() => feed.stderr().includes("line 4: it has 4 fields for 2 columns"), feed.stdout);
    kill(feed.pid, "SIGTERM");
    expect((await feed.ended).code).toBe(0);
    const held = /queued: (\d+)/.exec(feed.stdout())?.[1] ?? "";
    await CLIENT.ok("mgpu-scancel", [held]);
  });

  test("-M local is mgpu on this machine; unknown names are refused", async () => {
    const local = await CLIENT.run("mgpu", ["status", "-M", "local"]);
    expect([local.code, local.stderr]).toEqual([1, expect.stringContaining("there is no such socket")]);
    const none = await CLIENT.run("mgpu", ["status", "-M", "nowhere"]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('no profile is called "nowhere"')]);
  });
});

describe("several clusters", () => {
  test("are listed, chosen and forgotten; a listing takes more than one", async () => {
    const [, line = ""] = lineOf(
      await CONTROLLER.ok("mgpu", ["key", "issue", "twin", "--user", "root", "--role", "operator"]),
    );
    const twin = line.replace(/^[^=]*=/, "twin=");
    expect(await CLIENT.ok("mgpu", ["login", "--no-default", twin])).toContain("commands take -M twin");
    const both = await CLIENT.ok("mgpu-sinfo", ["-M", "mgpu,twin", "-N", "-o", "%N"]);
    expect(both).toBe("CLUSTER: mgpu\nNODELIST\nc1\nn1\n\nCLUSTER: twin\nNODELIST\nc1\nn1\n");
    const refused = await CLIENT.run("mgpu-sbatch", ["-M", "mgpu,twin", "--wrap", "true"]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("speaks to one cluster at a time")]);
    expect(await CLIENT.ok("mgpu", ["use", "twin"])).toMatch(/^commands speak to twin at 127/);
    expect(await CLIENT.ok("mgpu", ["login"])).toMatch(/^twin +127\S+ +operator\/twin\/1 +yes$/m);
    expect((await CLIENT.run("mgpu-squeue", ["-M", "nowhere"])).stderr).toMatch(
      /No cluster 'nowhere'.*\n.*\n.*mgpu login/,
    );
    await CLIENT.ok("mgpu", ["logout", "twin"]);
    expect((await CLIENT.run("mgpu", ["use", "twin"])).stderr).toContain('no cluster is called "twin" here');
    const variable = await CLIENT.run("mgpu", ["status"], { env: { MGPU_CONTROLLER: "mgpu" } });
    expect(variable.code).toBe(0);
    await CLIENT.ok("mgpu", ["use", "mgpu"]);
  }, 60_000);
});

describe("keys", () => {
  test("lie where only their owner reads them", () => {
    for (const path of [join(NODE.home, "join.json"), join(CONTROLLER.home, "controller/keys.json")]) {
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(CLIENT.folder, ".config/mgpu/clusters.json")).mode & 0o777).toBe(0o600);
  });

  test("an operator may drain a node and may give out no keys; both are written down", async () => {
    await CLIENT.ok("mgpu-scontrol", ["update", "nodename=n1", "state=drain", "reason=test"]);
    await CLIENT.ok("mgpu-scontrol", ["update", "nodename=n1", "state=resume"]);
    const refused = await CLIENT.run("mgpu", ["key", "issue", "mallory", "--user", "root", "--role", "administrator"]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("Access/permission denied")]);
    const book = readFileSync(join(CONTROLLER.home, "log/audit.log"), "utf8");
    expect(book).toMatch(/"who":"operator\/laptop\/1".*"method":"cluster.change".*"message":"done"/);
    expect(book).toMatch(/"who":"operator\/laptop\/1".*"method":"key.issue".*"message":"denied"/);
  });

  test("a used up token, a wrong key and no TLS at all are refused", async () => {
    const token = lineOf(await CONTROLLER.ok("mgpu", ["key", "token"]));
    const other = new TestCluster({ env: { MGPU_NODE_ID: "n2" } });
    try {
      await other.ok("mgpu", [...token, "--no-start"]);
      expect(existsSync(join(other.home, "join.json"))).toBe(true);
      await other.ok("mgpu", ["leave", "--force"]);
      const again = await other.run("mgpu", [...token, "--no-start"]);
      expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("it does not know this key")]);
      const guessed = await other.run("mgpu", [
        ...joinLine.map((word) => word.replace(/.{8}$/, "00000000")),
        "--no-start",
      ]);
      expect([guessed.code, guessed.stderr]).toEqual([1, expect.stringContaining("wrong key")]);
    } finally {
      await other.stop();
    }
    await new Promise<void>((resolve) => {
      const plain = createConnection(portOf(joinLine), "127.0.0.1", () => plain.write("\0\0\0\x05hello"));
      plain.on("error", () => {});
      plain.resume().once("close", () => resolve());
    });
    const log = readFileSync(join(CONTROLLER.home, "log/mgpuctld.log"), "utf8");
    expect(log).toMatch(/refused a connection/);
    expect(log).toMatch(/"why":"not TLS 1.3"/);
  });

  test("a rotated key is void at once; a node that gets its new one goes on with what it runs", async () => {
    const job = await CLIENT.submit("#!/bin/sh\nwhile ! test -e go; do sleep 0.1; done\n", [
      "-w",
      "n1",
      "-D",
      NODE.work,
    ]);
    await CONTROLLER.untilState(job, "RUNNING");
    const daemon = logOf(NODE, "mgpud").match(/"message":"registered with the controller"/g)?.length;
    const rotated = await CONTROLLER.ok("mgpu", ["key", "rotate", "n1"]);
    expect(rotated).toMatch(/^# node\/n1\/1 is void from now on; 1 connection was cut$/m);
    await CONTROLLER.until(
      async () => (await CONTROLLER.ok("mgpu-sinfo", ["-h", "-N", "-o", "%N %t"])).includes("n1 mix*"),
      "the node is cut",
    );
    expect(await CONTROLLER.state(job)).toBe("RUNNING");
    expect(await NODE.ok("mgpu", lineOf(rotated))).toMatch(/^node n1 of mgpu at \S+: connected with its new key\n$/);
    NODE.write("go", "");
    await CONTROLLER.untilState(job, "COMPLETED");
    expect(daemon).toBe(1);

    const person = await CONTROLLER.ok("mgpu", ["key", "rotate", "laptop"]);
    const void_ = await CLIENT.run("mgpu-squeue", []);
    expect([void_.code, void_.stderr]).toEqual([1, expect.stringContaining("the key was revoked or replaced")]);
    await CLIENT.ok("mgpu", lineOf(person));
    await CLIENT.ok("mgpu-squeue", []);
    expect(await CONTROLLER.ok("mgpu", ["key", "list"])).toMatch(/^laptop +operator +root +\S+ +good +\d+$/m);
  }, 60_000);

  test("a revoked key is cut at once, and a removed node stays out until it joins again", async () => {
    const watching = CLIENT.start("mgpu-srun", ["-w", "n1", "sleep", "60"]);
    await CONTROLLER.until(async () => (await CONTROLLER.queue("%T")).includes("RUNNING"), "the job runs");
    const said = await CONTROLLER.ok("mgpu", ["key", "revoke", "laptop"]);
    expect(said).toMatch(/^void from now on: operator\/laptop\/2; [1-9]\d* connections? (was|were) cut\n$/);
    const ended = await watching.ended;
    expect(ended.code).not.toBe(0);
    const late = await CLIENT.run("mgpu-squeue", []);
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining("the key was revoked or replaced")]);
    await CONTROLLER.run("mgpu-scancel", ["-w", "n1"]);
    await CONTROLLER.until(async () => (await CONTROLLER.queue("%i")).length === 0, "the queue is empty");

    await CONTROLLER.ok("mgpu", ["nodes", "remove", "n1"]);
    expect(await CONTROLLER.ok("mgpu-sinfo", ["-h", "-N", "-o", "%N"])).toBe("c1\n");
    await NODE.ok("mgpu", ["leave", "--force"]);
    await NODE.ok("mgpu", lineOf(await CONTROLLER.ok("mgpu", ["key", "token"])));
    await CONTROLLER.until(
      async () => (await CONTROLLER.run("mgpu-sinfo", ["-h", "-N", "-o", "%N %t"])).stdout.includes("n1 idle"),
      "n1 is back",
    );
  }, 120_000);
});
