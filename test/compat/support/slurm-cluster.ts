/**
 * Debian's own Slurm on the loopback interface, for tests: munge, slurmctld and slurmd of as many nodes as wanted, with
 * files for GPUs, all in a temporary folder and at free ports. Needs root and the packages of .ci/run.
 *
 *     const slurm = await SlurmCluster.start({ nodes: 2, gpus: 4 });
 *     await slurm.ok("sbatch", ["--wrap", "hostname"]);   // Slurm's commands: run(), ok(); env for other programs
 *     await slurm.stopController();                        // and startController()
 *     await slurm.stop();                                  // daemons ended, nothing left running, the folder removed
 *
 * A guard reads from a pipe of ours: should the runner die, it ends what is left.
 */

import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, kill, type Ran } from "../../integration/support/cluster.ts";

/** Longest that anything may take before the test says what it waited for: other tests run besides. */
const PATIENCE_MS = 90_000;
const POLL_MS = 50;
const COMMAND_LIMIT_MS = 60_000;

/** Ends all that carries the mark once nobody holds the other end of its input, unless a line told it not to. */
const GUARD = `
read -r word && exit 0
for folder in /proc/[0-9]*; do
  tr '\\0' '\\n' <"$folder/environ" 2>/dev/null | grep -qxF "$1" && [ "$folder" != "/proc/$$" ] && kill -9 "\${folder#/proc/}"
done
rm -rf "$2"`;

export interface SlurmOptions {
  /** Nodes n1, n2 ..., one unless said. */
  readonly nodes?: number;
  /** Of each node; 8 unless said. */
  readonly cpus?: number;
  /** Of each node; 4 unless said. They are files of the folder. */
  readonly gpus?: number;
  /** Shards (gres/shard) of each node; none unless said. */
  readonly shards?: number;
  /** MiB of each node; 4000 unless said. */
  readonly memoryMiB?: number;
  /** More lines of slurm.conf: those before them with the same name are left out. */
  readonly lines?: readonly string[];
  /**
   * Nodes, partitions and GRES as these lines have them, instead of the shape above: lines of slurm.conf and gres.conf
   * without daemons' places. `Port` and `NodeAddr` of each node are added. Names of the nodes, in order, are `names`.
   */
  readonly shape?: { readonly names: readonly string[]; readonly slurm: readonly string[]; readonly gres: string };
  /** Accounting: a MariaDB and a slurmdbd. Slow (some 10 s); sacct has nothing without it. */
  readonly hasAccounting?: boolean;
  /** With accounting: what is to be done there before slurmctld starts. */
  readonly fillAccounting?: (cluster: SlurmCluster) => Promise<void>;
}

export interface SlurmRunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export class SlurmCluster {
  /** Short: munge's socket lies in it. */
  readonly folder = mkdtempSync(join(tmpdir(), "mgs-"));
  /** Where commands run unless said. */
  readonly work = join(this.folder, "work");
  readonly name = `s${process.pid}`;
  /** What a program needs to use it: add it to that program's variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly #daemons = new Map<string, ChildProcess>();
  readonly #guard: ChildProcess;
  readonly #options: SlurmOptions;
  #ports: number[] = [];

  private constructor(options: SlurmOptions) {
    this.#options = options;
    this.env = { SLURM_CONF: join(this.folder, "slurm.conf"), MGPU_TEST_MARK: this.folder };
    const mark = `MGPU_TEST_MARK=${this.folder}`;
    this.#guard = spawn("/bin/bash", ["-c", GUARD, "guard", mark, this.folder], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#guard.stdin?.on("error", () => {});
    this.#guard.unref();
  }

  /** Whether this machine can run it at all: CI's can. */
  static get isPossible(): boolean {
    return process.getuid?.() === 0 && existsSync("/usr/sbin/slurmctld") && existsSync("/usr/sbin/munged");
  }

  /** Starts one, and waits until all nodes are idle. */
  static async start(options: SlurmOptions = {}): Promise<SlurmCluster> {
    if (!SlurmCluster.isPossible) throw new Error("needs root, slurmctld, slurmd and munged (.ci/run installs them)");
    const cluster = new SlurmCluster(options);
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster.stop().catch(() => {});
      throw new Error(`Slurm did not start: ${error}`);
    }
  }

  /** Names of the nodes. */
  get nodes(): readonly string[] {
    const { shape, nodes = 1 } = this.#options;
    return shape?.names ?? Array.from({ length: nodes }, (_, index) => `n${index + 1}`);
  }

  /** Runs a command of Slurm's, or any other program, to its end. */
  run(program: string, args: readonly string[], options: SlurmRunOptions = {}): Promise<Ran> {
    return new Promise((resolve) => {
      const env = { PATH: PATH_OF_SLURM, HOME: this.folder, LANG: "C.UTF-8", TZ: "UTC", ...this.env, ...options.env };
      const settings = { env, cwd: options.cwd ?? this.work, timeout: COMMAND_LIMIT_MS, maxBuffer: 1 << 28 };
      const child = execFile(program, [...args], settings, (_error, stdout, stderr) => {
        resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
      });
      child.stdin?.on("error", () => {});
      child.stdin?.end(options.input);
    });
  }

  /** Runs a command that must succeed; its output. */
  async ok(program: string, args: readonly string[], options: SlurmRunOptions = {}): Promise<string> {
    const ran = await this.run(program, args, options);
    if (ran.code !== 0) throw new Error(`${program} ${args.join(" ")} -> ${JSON.stringify(ran)}\n${this.logs()}`);
    return ran.stdout;
  }

  /** Submits a script's text; the job's number. */
  async submit(script: string, args: readonly string[] = []): Promise<number> {
    return Number((await this.ok("sbatch", ["--parsable", ...args], { input: script })).trim());
  }

  /** Waits until a job is in one of some states, in Slurm's long words. */
  async untilState(job: number, ...states: string[]): Promise<void> {
    let last = "";
    await this.until(
      async () => {
        last = (await this.run("squeue", ["-h", "-t", "all", "-j", `${job}`, "-o", "%T"])).stdout.trim();
        return states.includes(last);
      },
      () => `job ${job} is ${states.join(" or ")}, not ${last}`,
    );
  }

  /** Polls until the condition holds; the failure says what was waited for and shows the logs. */
  async until(condition: () => boolean | Promise<boolean>, what: string | (() => string)): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; !(await condition()); ) {
      if (Date.now() > end) {
        throw new Error(`waited in vain until ${typeof what === "string" ? what : what()}\n${this.logs()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Ends slurmctld. Jobs run on; commands wait for it and fail in the end. */
  async stopController(): Promise<void> {
    await this.#end("slurmctld", "SIGTERM");
  }

  /** Starts slurmctld, and waits until it answers. */
  async startController(): Promise<void> {
    this.#daemon("slurmctld", "/usr/sbin/slurmctld", ["-D"]);
    await this.until(async () => (await this.run("scontrol", ["ping"])).stdout.includes("is UP"), "slurmctld answers");
  }

  /** Ends a node's slurmd at once; what it runs goes on. */
  async killNode(name: string): Promise<void> {
    await this.#end(`slurmd-${name}`, "SIGKILL");
  }

  /** The newest lines of every daemon's log. */
  logs(): string {
    const folder = join(this.folder, "log");
    if (!existsSync(folder)) return "(no logs)";
    const files = readdirSync(folder);
    return files.map((name) => `--- ${name}\n${readFileSync(join(folder, name), "utf8").slice(-1000)}`).join("\n");
  }

  /** Processes that carry this cluster's mark: daemons, and what runs in jobs. */
  processes(): { pid: number; command: string }[] {
    return readdirSync("/proc").flatMap((name) => {
      if (!/^\d+$/.test(name) || Number(name) === process.pid || !isAlive(Number(name))) return [];
      try {
        const environment = readFileSync(`/proc/${name}/environ`, "latin1").split("\0");
        if (!environment.includes(`MGPU_TEST_MARK=${this.folder}`)) return [];
        return [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ") }];
      } catch {
        return [];
      }
    });
  }

  /** Ends all of it, jobs included, checks that nothing is left, and removes the folder. */
  async stop(): Promise<void> {
    try {
      if (this.#daemons.has("slurmctld")) {
        await this.run("scancel", ["--user", "root"]);
        await this.#quietly(async () => (await this.run("squeue", ["-h", "-t", "running,completing"])).stdout === "");
      }
      // Nobody else ends what runs in jobs then.
      else
        for (const { pid, command } of this.processes())
          if (!/^\S*(slurmd|munged)\b/.test(command)) kill(pid, "SIGKILL");
      for (const name of [...this.#daemons.keys()].reverse()) await this.#end(name, "SIGTERM");
      await this.until(
        () => this.processes().length === 0,
        () => `nothing of Slurm is left running: ${JSON.stringify(this.processes())}`,
      );
    } finally {
      for (const { pid } of this.processes()) kill(pid, "SIGKILL");
      this.#guard.stdin?.end("all is well\n");
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** Waits for a while only. */
  async #quietly(condition: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + COMMAND_LIMIT_MS / 4; Date.now() < end && !(await condition()); ) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #start(): Promise<void> {
    for (const name of ["work", "log", "state", "munge"]) mkdirSync(join(this.folder, name));
    this.#ports = await freePorts(3 + this.nodes.length);
    writeFileSync(join(this.folder, "munge/key"), randomBytes(128), { mode: 0o600 });
    this.#write();
    const at = (name: string): string => join(this.folder, "munge", name);
    const munge = ["--force", "--foreground", "--key-file", at("key"), "--socket", at("s"), "--pid-file", at("pid")];
    this.#daemon("munged", "/usr/sbin/munged", [...munge, "--seed-file", at("seed"), "--log-file", at("log")]);
    await this.until(() => existsSync(at("s")), "munged listens");
    if (this.#options.hasAccounting) await this.#startAccounting();
    await this.#options.fillAccounting?.(this);
    await this.startController();
    for (const name of this.nodes) {
      // A host name of its own each: Debian's slurmd has no other way to be several on one machine. It must resolve.
      const enter = [
        "--uts",
        "--mount",
        "sh",
        "-c",
        `mount --bind "$0" /etc/hosts && hostname ${name} && exec slurmd -D`,
      ];
      enter.push(join(this.folder, "hosts"));
      this.#daemon(`slurmd-${name}`, "/usr/bin/unshare", enter);
    }
    await this.until(async () => {
      const idle = (await this.run("sinfo", ["-h", "-N", "-t", "idle", "-o", "%N"])).stdout.split("\n");
      return this.nodes.every((name) => idle.includes(name));
    }, "all nodes are idle");
  }

  #daemon(name: string, program: string, args: readonly string[]): void {
    const child = spawn(program, args, {
      cwd: this.folder,
      env: { PATH: PATH_OF_SLURM, HOME: this.folder, LANG: "C.UTF-8", TZ: "UTC", ...this.env },
      stdio: "ignore",
      detached: true,
    });
    child.unref();
    this.#daemons.set(name, child);
  }

  async #end(name: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.#daemons.get(name);
    this.#daemons.delete(name);
    const pid = child?.pid;
    if (pid === undefined) return;
    kill(pid, signal);
    await this.until(() => child?.exitCode !== null || child?.signalCode !== null || !isAlive(pid), `${name} ends`);
  }

  #write(): void {
    const { lines = [], shape, nodes = 1, gpus = 4, shards = 0, cpus = 8, memoryMiB = 4000 } = this.#options;
    const [, dbdPort, , ...nodePorts] = this.#ports;
    const names = new Set(lines.map((line) => line.split("=")[0]?.toLowerCase()));
    const own = [...this.#ownLines(), ...(this.#options.hasAccounting ? accountingLines(this.folder, dbdPort) : [])];
    const gres = [...(gpus > 0 ? [`gpu:${gpus}`] : []), ...(shards > 0 ? [`shard:${shards}`] : [])];
    const size = `Sockets=1 CoresPerSocket=${cpus} ThreadsPerCore=1 RealMemory=${memoryMiB}`;
    const nodeLines = this.nodes.map(
      (name) => `NodeName=${name} ${size}${gres.length > 0 ? ` Gres=${gres.join(",")}` : ""} State=UNKNOWN`,
    );
    const partition = `PartitionName=debug Nodes=n[1-${nodes}] Default=YES MaxTime=INFINITE State=UP`;
    const shaped = (shape?.slurm ?? [...nodeLines, partition]).map((line) => {
      const name = /^NodeName=(\S+)/i.exec(line)?.[1];
      const index = this.nodes.indexOf(name ?? "");
      return index < 0 ? line : `${line} NodeHostname=${name} NodeAddr=127.0.0.1 Port=${nodePorts[index]}`;
    });
    const kept = own.filter((line) => !names.has(line.split("=")[0]?.toLowerCase()));
    writeFileSync(join(this.folder, "slurm.conf"), [...kept, ...lines, ...shaped, ""].join("\n"));
    // Character devices that behave as /dev/null: of plain files jobs are not told.
    for (let gpu = 0; gpu < gpus; gpu++) execFileSync("mknod", [join(this.folder, `gpu${gpu}`), "c", "1", "3"]);
    const all = `NodeName=n[1-${nodes}]`;
    const files = `File=${this.folder}/gpu[0-${gpus - 1}]`;
    const gresLines = [
      ...(gpus > 0 ? [`${all} Name=gpu ${files}`] : []),
      ...(shards > 0 ? [`${all} Name=shard Count=${shards}`] : []),
      "",
    ];
    writeFileSync(join(this.folder, "gres.conf"), shape?.gres ?? gresLines.join("\n"));
    const hosts = [hostname().split(".")[0], ...this.nodes];
    writeFileSync(join(this.folder, "hosts"), `127.0.0.1 localhost ${hosts.join(" ")}\n`);
    writeFileSync(join(this.folder, "cgroup.conf"), "CgroupMountpoint=/sys/fs/cgroup\n");
  }

  #ownLines(): string[] {
    const { folder } = this;
    return [
      `ClusterName=${this.name}`,
      `SlurmctldHost=${hostname().split(".")[0]}(127.0.0.1)`,
      `SlurmctldPort=${this.#ports[0]}`,
      "SlurmUser=root",
      "SlurmdUser=root",
      "AuthType=auth/munge",
      `AuthInfo=socket=${folder}/munge/s`,
      "CredType=cred/munge",
      "CommunicationParameters=NoInAddrAny,NoCtldInAddrAny",
      `StateSaveLocation=${folder}/state`,
      `SlurmdSpoolDir=${folder}/spool-%n`,
      `SlurmctldPidFile=${folder}/slurmctld.pid`,
      `SlurmdPidFile=${folder}/slurmd-%n.pid`,
      `SlurmctldLogFile=${folder}/log/slurmctld`,
      `SlurmdLogFile=${folder}/log/slurmd-%n`,
      "SlurmdParameters=config_overrides",
      "ProctrackType=proctrack/linuxproc",
      "TaskPlugin=task/none",
      "SwitchType=switch/none",
      "MpiDefault=none",
      "SelectType=select/cons_tres",
      "SelectTypeParameters=CR_Core_Memory",
      "SchedulerType=sched/backfill",
      "SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0,sched_min_interval=0",
      "PriorityType=priority/multifactor",
      "ReturnToService=2",
      "SlurmdTimeout=300",
      "InactiveLimit=0",
      "KillWait=2",
      "MinJobAge=300",
      "CompleteWait=0",
      "MessageTimeout=20",
      "FirstJobId=1001",
      "DefMemPerCPU=100",
      `GresTypes=gpu${(this.#options.shards ?? 0) > 0 ? ",shard" : ""}`,
      "JobCompType=jobcomp/none",
      "MailProg=/bin/true",
      "JobAcctGatherType=jobacct_gather/linux",
      "JobAcctGatherFrequency=5",
    ];
  }

  async #startAccounting(): Promise<void> {
    const { folder } = this;
    const [, dbdPort, sqlPort] = this.#ports;
    const socket = join(folder, "mysql.sock");
    const install = ["--no-defaults", "--user=root", `--datadir=${folder}/mysql`, "--skip-test-db"];
    await this.ok("mariadb-install-db", [...install, "--auth-root-authentication-method=normal"]);
    const places = [
      `--datadir=${folder}/mysql`,
      `--socket=${socket}`,
      `--port=${sqlPort}`,
      `--pid-file=${folder}/sql.pid`,
    ];
    const small = ["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"];
    const log = `--log-error=${folder}/log/mariadb`;
    const sql = ["--no-defaults", "--user=root", "--bind-address=127.0.0.1", ...places, ...small, log];
    this.#daemon("mariadbd", "/usr/sbin/mariadbd", sql);
    const client = ["--no-defaults", "-S", socket, "-u", "root"];
    await this.until(async () => (await this.run("mariadb-admin", [...client, "ping"])).code === 0, "MariaDB answers");
    const grants = ["'slurm'@'127.0.0.1'", "'slurm'@'localhost'"].map(
      (who) => `CREATE USER ${who} IDENTIFIED BY 'slurm'; GRANT ALL ON slurm_acct_db.* TO ${who};`,
    );
    await this.ok("mariadb", [...client, "-e", `CREATE DATABASE slurm_acct_db; ${grants.join(" ")}`]);
    const conf = [
      "AuthType=auth/munge",
      `AuthInfo=socket=${folder}/munge/s`,
      `DbdHost=${hostname().split(".")[0]}`,
      "DbdAddr=127.0.0.1",
      `DbdPort=${dbdPort}`,
      "CommunicationParameters=NoInAddrAny",
      "SlurmUser=root",
      `PidFile=${folder}/slurmdbd.pid`,
      `LogFile=${folder}/log/slurmdbd`,
      "StorageType=accounting_storage/mysql",
      "StorageHost=127.0.0.1",
      `StoragePort=${sqlPort}`,
      "StorageUser=slurm",
      "StoragePass=slurm",
      "StorageLoc=slurm_acct_db",
    ];
    writeFileSync(join(folder, "slurmdbd.conf"), `${conf.join("\n")}\n`, { mode: 0o600 });
    this.#daemon("slurmdbd", "/usr/sbin/slurmdbd", ["-D"]);
    await this.until(
      async () => (await this.run("sacctmgr", ["-n", "-i", "list", "cluster"])).code === 0,
      "slurmdbd answers",
    );
    await this.run("sacctmgr", ["-i", "add", "cluster", this.name]);
  }
}

const PATH_OF_SLURM = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

function accountingLines(folder: string, port: number | undefined): string[] {
  return [
    "AccountingStorageType=accounting_storage/slurmdbd",
    "AccountingStorageHost=127.0.0.1",
    `AccountingStoragePort=${port}`,
    `AccountingStoragePass=${folder}/munge/s`,
    "AccountingStorageTRES=gres/gpu",
  ];
}

/** Below those that the system gives to outgoing connections, which would take one before its daemon does. */
const PORT_MIN = 12_000;
const PORT_MAX = 32_000;

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = PORT_MIN + (randomBytes(2).readUInt16BE() % (PORT_MAX - PORT_MIN));
    if (!ports.includes(port) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
