/**
 * Root's daemons and the users of a machine: whose job runs as whom, and who may see, touch and read what. Makes users, so
 * it needs root; CI is root.
 */

import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRoot, type TestUser, UserLab } from "./support/users.ts";

if (!isRoot) console.warn("\n*** NOT ROOT: nothing is tested of root's daemons and the users of a machine ***\n");

describe.runIf(isRoot)("root's daemons and two users", () => {
  let lab: UserLab;
  let ada: TestUser;
  let bob: TestUser;
  let eve: TestUser;
  let config: string;

  beforeAll(async () => {
    lab = new UserLab({ MGPU_NODE_ID: "n1" });
    ada = lab.add("ada", [lab.group]);
    bob = lab.add("bob");
    eve = lab.add("eve");
    config = join(lab.cluster.home, "config.yaml");
    mkdirSync(lab.cluster.home, { mode: 0o700 });
    writeFileSync(config, `security:\n  operators: [${eve.name}]\n`);
    expect(await lab.root("mgpu", ["up"], { env: { MGPU_CONFIG: config } })).toMatchObject({ code: 0 });
  });
  afterAll(() => lab.stop());

  const home = (name: string): string => join(ada.home, name);
  const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);
  const submit = async (script: string, ...args: string[]): Promise<string> => {
    const input = `#!/bin/sh\n${script}\n`;
    return (await lab.ok(ada, "mgpu-sbatch", ["--parsable", ...args], { input })).trim();
  };
  const stateOf = async (job: string): Promise<string> =>
    (await lab.ok(null, "mgpu-squeue", ["-h", "-t", "all", "-j", `${job},${job}`, "-o", "%T"])).trim();
  const untilState = (job: string, state: string): Promise<void> =>
    lab.cluster.until(async () => (await stateOf(job)) === state, `job ${job} is ${state}\n`);

  test("a job runs with its submitter's identity, and its files are the submitter's", async () => {
    const outside = await lab.ok(ada, "sh", ["-c", "id -u; id -g; id -G"]);
    expect(await lab.ok(ada, "mgpu-srun", ["sh", "-c", "id -u; id -g; id -G"])).toBe(outside);
    const script = 'id -u; id -g; id -G\necho "$USER $LOGNAME $HOME $SHELL"; umask; : >made; mgpu-srun id -u';
    const input = `#!/bin/sh\n${script}\n`;
    await lab.ok(ada, "sh", ["-c", "umask 027; mgpu-sbatch --wait -o out"], { input });
    const login = `${ada.name} ${ada.name} ${ada.home} /bin/sh`;
    expect(readFileSync(home("out"), "utf8")).toBe(`${outside}${login}\n0027\n${ada.uid}\n`);
    for (const name of ["out", "made"]) {
      expect([statSync(home(name)).uid, modeOf(home(name))]).toEqual([ada.uid, "640"]);
    }
  });

  test("each feeds files for themselves: their jobs, their list, and nobody else's hands on it", async () => {
    for (const user of [ada, bob]) {
      writeFileSync(join(user.home, "fed.sh"), "id -un >> fed.txt\n", { mode: 0o644 });
      writeFileSync(join(user.home, "jobs.txt"), "0,fed.sh\n9,fed.sh\n", { mode: 0o600 });
      chownSync(join(user.home, "jobs.txt"), user.uid, statSync(user.home).gid);
      const ran = await lab.as(user, "mgpu", ["feed", "jobs.txt", "--output=/dev/null", "--wait"]);
      expect(ran).toMatchObject({ code: 1, stdout: expect.stringContaining("jobs.txt: 1 job queued") });
      expect(readFileSync(join(user.home, "fed.txt"), "utf8")).toBe(`${user.name}\n`);
      expect(statSync(join(user.home, "fed.txt")).uid).toBe(user.uid);
    }
    // The same path of another user's is another file's lines, and can't be read.
    const theirs = await lab.as(bob, "mgpu", ["feed", join(ada.home, "jobs.txt")]);
    expect(theirs).toMatchObject({ code: 1, stderr: expect.stringMatching(/jobs\.txt.*[Pp]ermission denied/) });
    expect((await lab.ok(ada, "mgpu", ["feed", "jobs.txt", "--output=/dev/null"]).catch(String)).toString()).toMatch(
      /1 line was queued before/,
    );
    // Root's own is watched; users see nothing of it, and can't end it.
    const file = lab.cluster.write("root.txt", "# none yet\n");
    expect((await lab.root("mgpu", ["feed", "--watch", file])).stderr).toContain("is watched as feed 1");
    expect(JSON.parse(await lab.ok(bob, "mgpu", ["feed", "list", "--json"])).feeds).toEqual([]);
    expect(await lab.as(bob, "mgpu", ["feed", "stop", "1"])).toMatchObject({ code: 1 });
    expect(JSON.parse(await lab.ok(null, "mgpu", ["feed", "list", "--json"])).feeds).toMatchObject([{ path: file }]);
    await lab.ok(null, "mgpu", ["feed", "stop", "1"]);
  });

  test("newgrp, folders with the setgid bit, and root's --uid and --gid", async () => {
    const gid = statSync(shared()).gid;
    expect(await lab.ok(ada, "sg", [lab.group, "-c", "mgpu-srun sh -c 'id -g; id -G | wc -w'"])).toBe(`${gid}\n2\n`);
    await lab.ok(ada, "mgpu-sbatch", ["--wait", "-o", join(shared(), "out"), "--wrap", "id -u"]);
    const { uid, gid: group } = statSync(join(shared(), "out"));
    expect([uid, group]).toEqual([ada.uid, gid]);
    const words = [`--uid=${bob.name}`, `--gid=${lab.group}`, "--wait", "-D", bob.home, "-o", "out"];
    await lab.ok(null, "mgpu-sbatch", [...words, "--wrap", 'id -un; id -gn; echo "$HOME $USER"']);
    const out = readFileSync(join(bob.home, "out"), "utf8");
    expect(out).toBe(`${bob.name}\n${lab.group}\n${bob.home} ${bob.name}\n`);
    expect(statSync(join(bob.home, "out")).uid).toBe(bob.uid);
    expect(await lab.root("mgpu-srun", ["--uid=nosuchuser", "id"])).toMatchObject({
      stderr: expect.stringContaining("Invalid --uid specification"),
    });
    expect(await lab.as(bob, "mgpu-sbatch", [`--uid=${ada.name}`, "--wrap", "id"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--uid only permitted by root user"),
    });
  });

  const shared = (): string => {
    const path = join(lab.cluster.folder, "shared");
    try {
      mkdirSync(path);
    } catch {
      return path;
    }
    chownSync(
      path,
      0,
      Number(readFileSync("/etc/group", "utf8").match(new RegExp(`^${lab.group}:[^:]*:(\\d+)`, "m"))?.[1]),
    );
    chmodSync(path, 0o2775);
    return path;
  };

  test("output goes only where the submitter may write", async () => {
    const precious = join(lab.cluster.folder, "precious");
    writeFileSync(precious, "root's\n", { mode: 0o600 });
    mkdirSync(home("folder"));
    chmodSync(bob.home, 0o700);
    const before = readdirSync(bob.home);
    // What the command looks at is another thing when the job starts.
    const late = await submit("echo late", "-o", "late", "--hold");
    symlinkSync(precious, home("late"));
    await lab.ok(ada, "mgpu-scontrol", ["release", late]);
    const refused = [
      await submit("echo x", "-J", "../precious", "-o", "%x", "--hold"),
      await submit("echo x", "-o", "%u/../../precious", "--hold"),
      await submit("echo x", "-e", "gone/err", "-o", "out2", "--hold"),
    ];
    symlinkSync(bob.home, home("gone"));
    for (const job of refused) await lab.ok(ada, "mgpu-scontrol", ["release", job]);
    for (const job of [late, ...refused]) await untilState(job, "FAILED");
    expect(await lab.as(ada, "mgpu-sbatch", ["-o", precious, "--wrap", "id"])).toMatchObject({ code: 1 });
    expect(await lab.as(ada, "mgpu-srun", ["-o", home("folder"), "id"])).toMatchObject({ code: 1 });
    expect(readFileSync(precious, "utf8")).toBe("root's\n");
    expect(readdirSync(bob.home)).toEqual(before);
  });

  test("who may see, touch and read what", async () => {
    writeFileSync(home("long.sh"), "#!/bin/sh\ntrap : USR1\nwhile :; do sleep 0.1; done\n", { mode: 0o700 });
    chownSync(home("long.sh"), ada.uid, ada.uid);
    const columns = { owner: ada, other: bob, operator: eve, root: null } as const;
    const cells = await Promise.all(Object.values(columns).map((who) => column(who)));
    const rows = ACTIONS.map(([name], at) => [name, ...cells.map((cell) => cell[at] ?? "")]);
    const table = [["", ...Object.keys(columns)], ...rows].map((row) =>
      row
        .map((cell) => cell.padEnd(15))
        .join("")
        .trimEnd(),
    );
    console.log(`\n${table.join("\n")}\n`);
    const all = ["yes", "yes", "yes", "yes"];
    const open = new Set(["squeue", "scontrol show", "sacct", "explain"]);
    const ownerOnly = new Set(["step in it", "socket", "holder"]);
    expect(rows).toEqual(
      ACTIONS.map(([name]) => [
        name,
        ...(open.has(name) ? all : ownerOnly.has(name) ? ["yes", "no", "no", "yes"] : ["yes", "no", "yes", "yes"]),
      ]),
    );
  });

  /** What somebody is let do with a job of ada's, action by action. */
  async function column(who: TestUser | null): Promise<string[]> {
    const running = await submit("exec ./long.sh", "-o", `priv-${who?.name ?? "root"}`, "--open-mode=truncate");
    const waiting = (await lab.ok(ada, "mgpu-sbatch", ["--parsable", "--begin=now+1hour", "long.sh"])).trim();
    const step = await lab.cluster
      .until(async () => (await stateOf(running)) === "RUNNING", "it runs")
      .then(() => running);
    const cells: string[] = [];
    for (const [, action] of ACTIONS) {
      const [program = "", ...args] = action({ running: step, waiting, lab, ada });
      const { code, stdout } = await lab.as(who, program, args);
      cells.push(code === 0 && stdout !== "nothing\n" ? "yes" : "no");
    }
    await lab.ok(ada, "mgpu-scancel", ["-Q", running, waiting]);
    return cells;
  }

  interface Facts {
    readonly running: string;
    readonly waiting: string;
    readonly lab: UserLab;
    readonly ada: TestUser;
  }

  const dial = (path: string): string[] => [
    process.execPath,
    "-e",
    `require("net").connect(${JSON.stringify(path)}).on("connect", () => process.exit(0)).on("error", () => process.exit(1))`,
  ];
  const listed = (...words: string[]): string[] => ["sh", "-c", `${words.join(" ")} | grep -q . || echo nothing`];

  const ACTIONS: readonly (readonly [string, (facts: Facts) => string[]])[] = [
    ["squeue", ({ running }) => listed("mgpu-squeue", "-h", "-j", `${running},${running}`)],
    ["scontrol show", ({ running }) => ["mgpu-scontrol", "show", "job", running]],
    ["sacct", ({ running }) => listed("mgpu-sacct", "-n", "-X", "-j", running)],
    ["explain", ({ waiting }) => ["mgpu", "why", waiting]],
    ["script", ({ running }) => ["mgpu-scontrol", "write", "batch_script", running, "-"]],
    ["environment", ({ running }) => ["mgpu-sacct", "--env-vars", "-j", running]],
    ["usage", ({ running }) => ["mgpu-sstat", "-a", "-n", "-j", running]],
    ["notify", ({ running }) => ["mgpu-scontrol", "notify", running, "hello"]],
    ["update", ({ waiting }) => ["mgpu-scontrol", "update", `jobid=${waiting}`, "comment=x"]],
    ["hold", ({ waiting }) => ["mgpu-scontrol", "hold", waiting]],
    ["signal", ({ running }) => ["mgpu-scancel", "-b", "-s", "USR1", running]],
    ["step in it", ({ running }) => ["mgpu-srun", `--jobid=${running}`, "--overlap", "true"]],
    ["suspend", ({ running }) => ["mgpu-scontrol", "suspend", running]],
    ["resume", ({ running }) => ["mgpu-scontrol", "resume", running]],
    ["socket", ({ lab: { socket }, ada: { uid } }) => dial(join(dirname(socket), `${uid}/controller.sock`))],
    ["holder", ({ lab: { socket }, ada: { uid } }) => dial(join(dirname(socket), `${uid}/own`, holderOf(socket, uid)))],
    ["cancel", ({ running, waiting }) => ["mgpu-scancel", running, waiting]],
  ];

  const holderOf = (socket: string, uid: number): string =>
    readdirSync(join(dirname(socket), `${uid}/own`)).find((name) => /-\d+\.sock$/.test(name)) ?? "";

  test("what is private, and what of a holder others can look at", async () => {
    const job = await submit("exec sleep 1000", "-o", "secret.out", "--export=ALL,TOKEN=secret");
    await untilState(job, "RUNNING");
    const mine = lab.processes();
    const holder = mine.find(({ command }) => command.includes("mgpu-stepd"))?.pid ?? 0;
    expect(/^Uid:\s+(.*)$/m.exec(readFileSync(`/proc/${holder}/status`, "utf8"))?.[1]).toBe(
      Array(4).fill(ada.uid).join("\t"),
    );
    for (const { pid } of mine) {
      expect(await lab.as(bob, "cat", [`/proc/${pid}/environ`])).toMatchObject({ code: 1, stdout: "" });
    }
    expect(mine.map(({ command }) => command).join()).not.toContain("secret\0");
    writeFileSync(config, `security:\n  operators: [${eve.name}]\n  private_data: jobs\n`);
    await lab.ok(null, "mgpu-scontrol", ["reconfigure"]);
    const seen = async (who: TestUser | null): Promise<string[]> => [
      (await lab.as(who, "mgpu-squeue", ["-h", "-o", "%i", "-j", `${job},${job}`])).stdout.trim(),
      (await lab.as(who, "mgpu-sacct", ["-n", "-X", "-o", "jobid", "-j", job])).stdout.trim(),
    ];
    expect(await Promise.all([ada, eve, null, bob].map(seen))).toEqual([
      [job, job],
      [job, job],
      [job, job],
      ["", ""],
    ]);
    expect(await lab.as(bob, "mgpu-scontrol", ["show", "job", job])).toMatchObject({ code: 1 });
    await lab.ok(eve, "mgpu-scancel", [job]);
  });

  test("a job outlives the daemons, and its end is found in its user's files", async () => {
    const job = await submit("while [ ! -e go ]; do sleep 0.1; done; exit 3", "-o", "none");
    await untilState(job, "RUNNING");
    process.kill(await lab.cluster.pidOf("mgpuctld"), "SIGKILL");
    await lab.ok(null, "mgpu", ["up"], { env: { MGPU_CONFIG: config } });
    expect(await stateOf(job)).toBe("RUNNING");
    writeFileSync(home("go"), "");
    await untilState(job, "FAILED");
    const own = join(dirname(lab.socket), `${ada.uid}/own`);
    const spool = readdirSync(own).find((name) => name.startsWith("spool-")) ?? "";
    const left = (): string[] => readdirSync(join(own, spool));
    await lab.cluster.until(
      () => left().length === 0,
      () => `its spool is removed: ${left()}`,
    );
  });

  const socketIn = (command = ""): string => / --socket (\S+)/.exec(command)?.[1] ?? "";

  test("a link in a user's folder leads root to no other holder", async () => {
    await lab.ok(null, "mgpu-srun", ["true"]);
    await lab.ok(bob, "mgpu-srun", ["true"]);
    const run = dirname(lab.socket);
    // Not that of another group of his.
    const identity = `--become ${bob.uid}:${statSync(bob.home).gid}:`;
    const holder = lab.processes().find(({ command }) => command.includes(identity));
    const socket = socketIn(holder?.command);
    const pid = holder?.pid ?? Number.NaN;
    process.kill(pid, "SIGKILL");
    const isNoticed = (): boolean => lab.cluster.logs().includes(`"holderPid":${pid},"message":"a holder is gone"`);
    await lab.cluster.until(isNoticed, "the node daemon knows that bob's holder is gone");
    rmSync(socket, { force: true });
    symlinkSync(join(run, readdirSync(run).find((name) => /^h-[^-]*\.sock$/.test(name)) ?? ""), socket);
    expect(await lab.ok(bob, "mgpu-srun", ["id", "-u"])).toBe(`${bob.uid}\n`);
    expect(lab.cluster.logs()).toContain(`${socket} is no socket: nobody connects to what it may lead to`);
  });

  test("nor does one lead root's own client", async () => {
    const input = "#!/bin/sh\nmgpu-srun sleep 1000\n";
    const job = (await lab.ok(bob, "mgpu-sbatch", ["--parsable", "-o", "none"], { input })).trim();
    const steps = (): Promise<string> => lab.ok(null, "mgpu-squeue", ["-s", "-h", "-o", "%i"]);
    await lab.cluster.until(async () => (await steps()).includes(`${job}.0`), "the step runs");
    const holder = lab
      .processes()
      .find(({ command }) => command.includes(`--become ${bob.uid}:${statSync(bob.home).gid}:`));
    const socket = socketIn(holder?.command);
    const pid = holder?.pid ?? Number.NaN;
    // One that runs puts its socket back.
    process.kill(pid, "SIGSTOP");
    rmSync(socket);
    symlinkSync(lab.socket, socket);
    const attached = await lab.as(null, "mgpu-sattach", [`${job}.0`]);
    process.kill(pid, "SIGCONT");
    expect(attached).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${socket} is no socket: nobody connects to what it may lead to`),
    });
    await lab.ok(bob, "mgpu-scancel", [job]);
  });

  test("daemons of a user serve nobody else, and say so", async () => {
    const env = {
      MGPU_CONTROLLER: "",
      MGPU_HOME: home("mine"),
      XDG_RUNTIME_DIR: ada.home,
      MGPU_FAKE_GPUS: "1",
      MGPU_CPUS: "2",
    };
    expect(await lab.ok(ada, "mgpu", ["up"], { env })).toMatch(/serves +only /);
    const folder = readdirSync(ada.home).find((name) => name.startsWith("mgpu-")) ?? "";
    const controller = `unix:${join(ada.home, folder, "controller.sock")}`;
    expect(await lab.as(bob, "mgpu-squeue", [], { env: { MGPU_CONTROLLER: controller } })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("serves the user only who started it"),
    });
    await lab.ok(ada, "mgpu", ["down", "--force"], { env });
  });
});
