/**
 * A cluster of the built programs for one bench: a home of its own, fake GPUs, and a copy of bin/ and dist/, so that a
 * build that somebody makes meanwhile does not change what is measured. At the end nothing of it may be left running.
 */

import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ROOT } from "./machine.mjs";
import { Client } from "./wire.mjs";

const run = promisify(execFile);

const COMMAND_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;
const POLL_MS = 20;
/** Each question costs the controller some of what is measured. */
const IDLE_POLL_MS = 60;
const KILL_TRIES = 20;

/** Clusters that run, for the case that the bench is interrupted. */
const running = new Set();

/** Ends all that runs. */
export async function stopClusters() {
  for (const cluster of [...running]) await cluster.stop();
}

export class Cluster {
  /** Short, because paths of Unix sockets are limited to 107 bytes. */
  folder = mkdtempSync(join(tmpdir(), "mgb-"));
  home = join(this.folder, "home");
  work = join(this.folder, "work");
  /** Waiting jobs hold no CPU; running ones are trivial: twice the cores keeps them busy. */
  cpus = 2 * availableParallelism();
  /**
   * Without NODE_EXTRA_CA_CERTS, which makes each start of Node slower, and without a front, whose work would be missed
   * in that of a command. @type {Record<string, string>} */
  env = {
    PATH: `${join(this.folder, "bin")}:${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: this.folder,
    USER: process.env.USER ?? "root",
    LANG: "C.UTF-8",
    TZ: "UTC",
    MGPU_HOME: this.home,
    XDG_RUNTIME_DIR: join(this.folder, "run"),
    MGPU_FAKE_GPUS: "4",
    MGPU_CPUS: String(this.cpus),
    MGPU_KILL_WAIT: "2",
    MGPU_FRONT: "0",
    MGPU_TEST_MARK: this.folder,
  };

  /**
   * Starts controller, node daemon and holder, as the first command of a user would.
   * @param {Record<string, string>} [more] variables for the daemons only
   */
  static async start(more = {}) {
    const cluster = new Cluster();
    running.add(cluster);
    for (const name of ["bin", "dist"]) cpSync(join(ROOT, name), join(cluster.folder, name), { recursive: true });
    mkdirSync(cluster.work);
    mkdirSync(join(cluster.folder, "run"), { mode: 0o700 });
    await cluster.revive(more);
    return cluster;
  }

  /** Has the first command start the daemons. @param {Record<string, string>} [more] variables for them only */
  async revive(more = {}) {
    const plain = this.env;
    this.env = { ...plain, ...more };
    try {
      await this.command("mgpu-sinfo", "-h");
    } finally {
      this.env = plain;
    }
  }

  /** @param {string} name a program of bin/ */
  program(name) {
    return join(this.folder, "bin", name);
  }

  /**
   * Runs a command that must succeed.
   * @param {string} name
   * @param {...string} args
   */
  async command(name, ...args) {
    const options = { env: this.env, cwd: this.work, timeout: COMMAND_LIMIT_MS };
    return (await run(this.program(name), args, options)).stdout;
  }

  connect() {
    return Client.connect(this.home);
  }

  /** Pids by daemon; one process can be several of them. @returns {Promise<Record<string, number>>} */
  async daemons() {
    const { daemons } = JSON.parse(await this.command("mgpu", "status", "--json"));
    return Object.fromEntries(daemons.map(({ daemon, pid }) => [daemon, pid]));
  }

  /** Processes that carry this cluster's mark. @returns {{pid: number, command: string}[]} */
  processes() {
    return readdirSync("/proc").flatMap((name) => {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
      try {
        const variables = readFileSync(`/proc/${name}/environ`, "latin1").split("\0");
        if (!variables.includes(`MGPU_TEST_MARK=${this.folder}`)) return [];
        const command = readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ");
        // A zombie has none.
        return command === "" ? [] : [{ pid: Number(name), command }];
      } catch {
        return [];
      }
    });
  }

  /** Ends the cluster as a user would, and checks that nothing is left of it. */
  async stop() {
    if (!running.delete(this)) return;
    try {
      // Else they start when the end of those that run makes room.
      await this.command("mgpu-scancel", "--me", "-t", "PENDING");
      await this.command("mgpu", "down", "--force");
      const end = Date.now() + STOP_LIMIT_MS;
      while (this.processes().length > 0 && Date.now() < end) await sleep(POLL_MS);
    } finally {
      const left = this.processes();
      // Some may just be starting others.
      for (let tries = 0; tries < KILL_TRIES && this.processes().length > 0; tries++) {
        for (const { pid } of this.processes()) kill(pid);
        await sleep(POLL_MS);
      }
      rmSync(this.folder, { recursive: true, force: true });
      if (left.length > 0)
        process.stderr.write(`bench: these processes did not end and were killed: ${JSON.stringify(left)}\n`);
    }
  }
}

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}

/**
 * Waits until no job waits or runs.
 * @param {Client} client
 * @param {number} limitMs
 */
export async function untilIdle(client, limitMs) {
  const end = Date.now() + limitMs;
  for (;;) {
    const { jobs } = await client.call("controller.status", {});
    if (jobs.pending === 0 && jobs.running === 0) return;
    if (Date.now() > end) throw new Error(`after ${limitMs / 1000} s, jobs are ${JSON.stringify(jobs)}`);
    await sleep(IDLE_POLL_MS);
  }
}
