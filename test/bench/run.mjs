/** `npm run bench -- NAME...`: see --help. */

import { loadavg } from "node:os";
import * as completion from "./benches/completion.mjs";
import * as scale from "./benches/scale.mjs";
import * as sched from "./benches/sched.mjs";
import * as sessions from "./benches/sessions.mjs";
import * as slurm from "./benches/slurm.mjs";
import * as squeue from "./benches/squeue.mjs";
import * as startup from "./benches/startup.mjs";
import * as throughput from "./benches/throughput.mjs";
import * as tui from "./benches/tui.mjs";
import { stopClusters } from "./lib/cluster.mjs";
import { interrupt } from "./lib/interrupt.mjs";
import { machineHeader } from "./lib/machine.mjs";
import { toJsonLines, toTable } from "./lib/report.mjs";
import { NEEDED, writeResults } from "./lib/results.mjs";

const BENCHES = { sched, startup, throughput, squeue, slurm, scale, sessions, completion, tui };
const ALL = "all";

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

const NAMES = Object.entries(BENCHES)
  .map(([name, { about }]) => `  ${name.padEnd(12)}${about}`)
  .join("\n");

const HELP = `Usage: npm run bench -- NAME... [--quick] [--json]

Measures the built programs (npm run build) on a cluster of its own: a temporary home, four fake GPUs, twice as many
CPUs as the machine has, everything ended afterwards. Each number stands beside that of a reference measured in the
same rounds: cases take turns, every other round in the opposite order, after one round for warming up.

${NAMES}
  ${ALL.padEnd(12)}all of these

  --quick     fewer rounds, each bench in less than 25 s
  --json      one object a line: bench, case, metric, unit, ours, reference, ratio (ours / reference),
              referenceName, samples, spread (median absolute deviation); all else goes to stderr
  --list      the names alone
  --help      this text

${NEEDED.join(" and ")} also write test/bench/RESULTS.md: the bars of issue 10, met or missed; together all of them.

Wall time is from the spawn until the program was reaped. CPU time is user and system time of that one child and its
own children, from wait4(2): Node can't ask for it, so python3 is needed. On a machine that others use, look at the
minima and at CPU time; medians drift. Ratios of rates are good when large, those of times and memory when small.
`;

await main(process.argv.slice(2));

async function main(words) {
  const flags = new Set(words.filter((word) => word.startsWith("-")));
  const names = words.filter((word) => !word.startsWith("-"));
  if (flags.has("--help") || flags.has("-h")) return void process.stdout.write(HELP);
  if (flags.has("--list")) return void process.stdout.write(`${[...Object.keys(BENCHES), ALL].join("\n")}\n`);
  const problems = [
    ...[...flags].filter((flag) => !["--quick", "--json"].includes(flag)).map((flag) => `unknown option ${flag}`),
    ...names.filter((name) => name !== ALL && !Object.hasOwn(BENCHES, name)).map((name) => `no bench is named ${name}`),
    ...(names.length === 0 ? ["name what to measure"] : []),
  ];
  if (problems.length > 0) {
    process.stderr.write(
      `${problems.map((text) => `bench: error: ${text}\n`).join("")}\nBenches:\n${NAMES}\n  ${ALL}\n`,
    );
    process.exitCode = EXIT_USAGE;
    return;
  }
  const chosen = names.includes(ALL) ? Object.keys(BENCHES) : [...new Set(names)];
  await measure(chosen, { quick: flags.has("--quick"), isJson: flags.has("--json") });
}

async function measure(names, { quick, isJson }) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.once(signal, () => {
      interrupt();
      void stopClusters().finally(() => process.exit(EXIT_INTERRUPTED));
    });
  }
  const say = (text) => (isJson ? process.stderr : process.stdout).write(text);
  const note = (text) => say(`# ${text}\n`);
  const [all, load] = [[], () => loadavg()[0].toFixed(1)];
  try {
    const [header, loadBefore] = [machineHeader(), load()];
    say(header);
    for (const name of names) {
      const start = Date.now();
      const rows = await BENCHES[name].run({ quick, note });
      note(`${name}: ${((Date.now() - start) / 1000).toFixed(0)} s`);
      process.stdout.write(isJson ? toJsonLines(rows) : `${toTable(rows)}\n`);
      all.push(...rows);
    }
    const ran = NEEDED.filter((name) => names.includes(name));
    if (ran.length === 0) return;
    note(`written to ${writeResults(all, { ran, header, loads: `${loadBefore}, ${load()}`, quick })}`);
  } catch (error) {
    process.stderr.write(`bench: error: ${error.message}\n`);
    process.exitCode = 1;
  }
}
