/** Two users, an operator and a group of theirs, made for one test and removed after it. Needs root. */

import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { kill, type Ran, type RunOptions, TestCluster } from "./cluster.ts";

const ROOT = join(import.meta.dirname, "../../..");

export const isRoot = process.getuid?.() === 0;

/** Names of this run's own, so that a machine's users are left alone. */
const PREFIX = `mgt${process.pid}`;

export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

export class UserLab {
  readonly cluster: TestCluster;
  /** Where the programs are: in a folder that all users can read, wherever the checkout is. */
  readonly programs: string;
  readonly group = `${PREFIX}g`;
  private readonly made: TestUser[] = [];

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.cluster = new TestCluster({ env });
    const { folder } = this.cluster;
    for (const path of [folder, join(folder, "run")]) chmodSync(path, 0o755);
    this.programs = join(folder, "mgpu");
    for (const name of ["bin", "dist", "package.json"])
      cpSync(join(ROOT, name), join(this.programs, name), { recursive: true });
    execFileSync("groupadd", [this.group]);
  }

  /** @param groups of which it is a member beside its own */
  add(suffix: string, groups: readonly string[] = []): TestUser {
    const name = `${PREFIX}${suffix}`;
    const home = join(this.cluster.folder, suffix);
    execFileSync("useradd", [
      "-M",
      "-U",
      "-d",
      home,
      "-s",
      "/bin/sh",
      ...(groups.length > 0 ? ["-G", groups.join()] : []),
      name,
    ]);
    const uid = Number(execFileSync("id", ["-u", name]).toString());
    mkdirSync(home);
    chownSync(home, uid, Number(execFileSync("id", ["-g", name]).toString()));
    const user = { name, uid, home };
    this.made.push(user);
    return user;
  }

  /** The socket of root's controller, as everybody may name it. */
  get socket(): string {
    const run = join(this.cluster.folder, "run");
    const [name = ""] = readdirSync(run).filter((one) => one.startsWith("mgpu-"));
    return join(run, name, "controller.sock");
  }

  /** Runs a program of mgpu's, or any other, as root. */
  root(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.cluster.run(this.pathOf(program), args, options);
  }

  /** The same as a user, who has all groups that a login would give. */
  as(user: TestUser | null, program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return user ? this.startAs(user, program, args, options).ended : this.root(program, args, options);
  }

  startAs({ name, home }: TestUser, program: string, args: readonly string[], options: RunOptions = {}) {
    const variables = {
      ...{ HOME: home, USER: name, LOGNAME: name, SHELL: "/bin/sh", LANG: "C.UTF-8", TZ: "UTC" },
      PATH: `${this.programs}/bin:${process.env.PATH}`,
      ...{ MGPU_CONTROLLER: `unix:${this.socket}`, MGPU_TEST_MARK: this.cluster.folder },
      ...options.env,
    };
    const words = Object.entries(variables).map(([key, value]) => `${key}=${value}`);
    const become = [`--reuid=${name}`, `--regid=${name}`, "--init-groups", "--", "env", "-i", ...words];
    return this.cluster.start("setpriv", [...become, this.pathOf(program), ...args], { cwd: home, ...options });
  }

  /** Runs something that must succeed; answers with its output. */
  async ok(user: TestUser | null, program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const ran = await this.as(user, program, args, options);
    if (ran.code !== 0)
      throw new Error(`${program} ${args.join(" ")} -> ${JSON.stringify(ran)}\n${this.cluster.logs()}`);
    return ran.stdout;
  }

  /** Processes of the users that were made. */
  processes(): { pid: number; command: string }[] {
    const uids = new Set(this.made.map(({ uid }) => uid));
    return readdirSync("/proc").flatMap((name) => {
      try {
        if (!/^\d+$/.test(name) || (!uids.has(statSync(`/proc/${name}`).uid) && !uids.has(uidOf(name)))) return [];
        const command = readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ");
        return command === "" ? [] : [{ pid: Number(name), command }];
      } catch {
        return [];
      }
    });
  }

  /** Ends all, and takes the users away again. */
  async stop(): Promise<void> {
    try {
      await this.root("mgpu", ["down", "--force"]);
      // Fronts are the users' own, and end within a minute, or a second after their door is gone.
      for (const { home } of this.made) rmSync(join(home, ".local/state/mgpu/front"), { recursive: true, force: true });
      await this.cluster.until(
        () => this.processes().length === 0,
        () => `nothing of the users is left running: ${JSON.stringify(this.processes())}`,
      );
    } finally {
      for (const { pid } of this.processes()) kill(pid, "SIGKILL");
      for (const { name } of this.made) attempt("userdel", [name]);
      attempt("groupdel", [this.group]);
      await this.cluster.stop();
    }
  }

  private pathOf(program: string): string {
    return /^mgpu/.test(program) ? join(this.programs, "bin", program) : program;
  }
}

/** Of a process that keeps others from looking at it, whose folder is root's. */
function uidOf(pid: string): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]);
}

function attempt(program: string, args: readonly string[]): void {
  try {
    execFileSync(program, args, { stdio: "ignore" });
  } catch {
    // It was not made, or is gone.
  }
}
