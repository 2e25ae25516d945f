/** The streams of srun: how much passes in a second against ssh and a bare pipe, and how fast a key echoes against a direct terminal. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";
import { Cluster } from "../lib/cluster.mjs";
import { row } from "../lib/report.mjs";
import { interleave } from "../lib/rounds.mjs";
import { startSshd } from "../lib/sshd.mjs";
import { maximum, median, minimum, spread } from "../lib/statistics.mjs";

export const about =
  "output of srun against ssh (if there is an sshd) and a bare pipe; the echo of a key against a direct terminal";

const execute = promisify(execFile);

const BENCH = "sessions";
const MEGABYTES = 200;
const MEGABYTES_QUICK = 60;
const KEYS = 300;
const KEYS_QUICK = 100;
const LIMITS = { rounds: 5, budgetMs: 120_000 };
const LIMITS_QUICK = { rounds: 2, budgetMs: 0 };
const CASE_LIMIT_MS = 120_000;

const ECHO = join(import.meta.dirname, "../lib/echo.py");
const ECHOING = "stty raw isig -echo; echo ready; exec cat";

/** @param {{quick: boolean}} options */
export async function run({ quick }) {
  const megabytes = quick ? MEGABYTES_QUICK : MEGABYTES;
  const keys = quick ? KEYS_QUICK : KEYS;
  const cluster = await Cluster.start();
  const sshd = await startSshd(cluster.work);
  try {
    const flood = `head -c ${megabytes}000000 /dev/zero`;
    const cases = [
      { name: "pipe", run: () => rate(cluster, `sh -c '${flood}' | cat >/dev/null`, megabytes) },
      { name: "srun", run: () => rate(cluster, `mgpu-srun --no-pty sh -c '${flood}' | cat >/dev/null`, megabytes) },
      ...(sshd
        ? [{ name: "ssh", run: () => rate(cluster, `${sshd.words} '${flood}' | cat >/dev/null`, megabytes) }]
        : []),
      { name: "terminal", run: () => echoes(cluster, keys, ["sh", "-c", ECHOING]) },
      { name: "session", run: () => echoes(cluster, keys, ["mgpu-srun", "sh", "-c", ECHOING]) },
    ];
    const samples = await interleave(cases, quick ? LIMITS_QUICK : LIMITS);
    return rowsOf(samples, megabytes, keys);
  } finally {
    sshd?.stop();
    await cluster.stop();
  }
}

/** Megabytes a second, the start of the commands included. */
async function rate(cluster, line, megabytes) {
  const start = performance.now();
  await execute("sh", ["-c", line], { env: cluster.env, cwd: cluster.work, timeout: CASE_LIMIT_MS });
  return (1000 * megabytes) / (performance.now() - start);
}

/** Round trips in milliseconds, ascending. */
async function echoes(cluster, keys, program) {
  const options = { env: { ...cluster.env, TERM: "xterm" }, cwd: cluster.work, timeout: CASE_LIMIT_MS };
  const { stdout } = await execute("python3", [ECHO, String(keys), ...program], options);
  return stdout
    .trim()
    .split("\n")
    .map(Number)
    .sort((a, b) => a - b);
}

function rowsOf(samples, megabytes, keys) {
  const [pipe, srun] = [samples.get("pipe"), samples.get("srun")];
  const share = (list, part) => list.map((times) => times[Math.floor((times.length - 1) * part)]);
  const line = (name, metric, unit, ours, reference, statistic, referenceName) => {
    const base = { bench: BENCH, case: name, metric, unit, referenceName, samples: ours.length };
    const spreadOf = ours.length > 1 ? spread(ours) : undefined;
    return row({ ...base, ours: statistic(ours), reference: statistic(reference), spread: spreadOf });
  };
  const flood = `${megabytes} MB through mgpu-srun`;
  const echo = `${keys} keys echoed in a session`;
  const [direct, session] = [samples.get("terminal"), samples.get("session")];
  const ssh = samples.get("ssh");
  const againstSsh = ssh ? [line(flood, "median", "MB/s", srun, ssh, median, "ssh to this machine")] : [];
  return [
    ...againstSsh,
    line(flood, "median", "MB/s", srun, pipe, median, "a bare pipe"),
    line(flood, "best", "MB/s", srun, pipe, maximum, "a bare pipe"),
    line(echo, "p50", "ms", share(session, 0.5), share(direct, 0.5), minimum, "a direct terminal"),
    line(echo, "p99", "ms", share(session, 0.99), share(direct, 0.99), minimum, "a direct terminal"),
  ];
}
