/**
 * Debian's Slurm on the loopback interface, to compare with in the same run: ../shared/slurm-baseline makes it, this tunes it
 * for throughput. Root only, like that.
 */

import { execFile, spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ROOT } from "./machine.mjs";

const run = promisify(execFile);

const BASELINE = join(ROOT, "../shared/slurm-baseline");
const NAME = `bench${process.pid}`;
/** Ports of its own, so that others may run beside it; below those that the system hands out. */
const PORT = 20_000 + (process.pid % 300) * 40;
const START_LIMIT_MS = 180_000;
const COMMAND_LIMIT_MS = 180_000;
const POLL_MS = 50;

/** CPUs of the node. Slurm plans once a second: with the baseline's 8 no more than 8 jobs would run in it. Ours has as many. */
export const NODE_CPUS = 128;

/** Room for the queues that are measured, and starts as soon as there is something to start. */
const TUNING = `
MaxJobCount=120000
MaxArraySize=100001
MinJobAge=2
SlurmctldDebug=error
SlurmdDebug=error
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=bf_interval=1,sched_interval=5,batch_sched_delay=0,sched_min_interval=0,default_queue_depth=10000,partition_job_depth=0
`;

export class Slurm {
  /** Where the baseline keeps it. */
  folder = join(process.env.SLURM_BASELINE_DIR ?? join(process.env.TMPDIR ?? tmpdir(), "slurm-baseline"), NAME);
  /** @type {Record<string, string>} */
  env = { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin", HOME: tmpdir(), LANG: "C.UTF-8", TZ: "UTC" };

  /** @throws Error where there is none to start */
  static async start() {
    if (!existsSync(BASELINE)) throw new Error(`${BASELINE} is missing: it starts the Slurm to compare with`);
    if (process.getuid?.() !== 0) throw new Error("comparing with Slurm needs root: its daemons do");
    const slurm = new Slurm();
    try {
      await run(join(BASELINE, "start"), [NAME, "--nodes", "1", "--no-acct", "--port", String(PORT)], {
        timeout: START_LIMIT_MS,
      });
      slurm.env.SLURM_CONF = join(slurm.folder, "slurm.conf");
      await slurm.#tune();
      return slurm;
    } catch (error) {
      await slurm.stop();
      throw error;
    }
  }

  /** Some of it is read when the controller starts only. */
  async #tune() {
    const names = TUNING.match(/^\w+(?==)/gm) ?? [];
    const conf = readFileSync(this.env.SLURM_CONF, "utf8")
      .replace(new RegExp(`^(${names.join("|")})=.*\\n`, "gm"), "")
      .replace("CoresPerSocket=8", `CoresPerSocket=${NODE_CPUS}`)
      .replace("RealMemory=4000", `RealMemory=${NODE_CPUS * 1000}`);
    writeFileSync(this.env.SLURM_CONF, conf);
    appendFileSync(this.env.SLURM_CONF, TUNING);
    await this.#restart("slurmctld", ["-D"]);
    await this.#restart("slurmd", ["-D", "-N", "n1"]);
    await until(
      async () => (await this.command("sinfo", "-h", "-t", "idle", "-o", "%N")).trim() === "n1",
      "n1 is idle",
    );
  }

  /** @param {string} program @param {readonly string[]} args */
  async #restart(program, args) {
    const pidFile = join(this.folder, "pids");
    const pids = readFileSync(pidFile, "utf8");
    const [, pid, name] = new RegExp(`^(\\d+) (${program}\\S*)$`, "m").exec(pids) ?? [];
    if (!pid) throw new Error(`${pidFile} names no ${program}: ${pids}`);
    process.kill(Number(pid), "SIGTERM");
    await until(() => !existsSync(`/proc/${pid}`), `the old ${program} ends`);
    const child = spawn(`/usr/sbin/${program}`, args, { env: this.env, stdio: "ignore", detached: true });
    child.unref();
    writeFileSync(pidFile, pids.replace(`${pid} ${name}`, `${child.pid} ${name}`));
  }

  /** @param {string} name @param {...string} args a command of Slurm's that must succeed; its output */
  async command(name, ...args) {
    const options = { env: this.env, cwd: tmpdir(), timeout: COMMAND_LIMIT_MS, maxBuffer: 1 << 30 };
    return (await run(`/usr/bin/${name}`, args, options)).stdout;
  }

  /** Waits until the queue is empty. */
  async untilIdle() {
    await until(async () => (await this.command("squeue", "-h", "-o", "%i")) === "", "Slurm's queue is empty");
  }

  /** Waits until it has forgotten what is over, which it would send along with each list: it looks once a minute. */
  async untilForgotten() {
    await until(async () => (await this.command("squeue", "-h", "-t", "all", "-o", "%i")) === "", "Slurm forgets");
  }

  async stop() {
    await run(join(BASELINE, "stop"), [NAME, "--purge"], { timeout: START_LIMIT_MS }).catch(() => {});
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function until(isTrue, what) {
  for (const end = Date.now() + COMMAND_LIMIT_MS; ; ) {
    if (await Promise.resolve(isTrue()).catch(() => false)) return;
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await sleep(POLL_MS);
  }
}
