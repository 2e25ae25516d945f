/** One command on a warm cluster, from exec to exit, against bare Node and against a program that does nothing. */

import { Cluster, untilIdle } from "../lib/cluster.mjs";
import { Front } from "../lib/front.mjs";
import { Meter } from "../lib/meter.mjs";
import { row } from "../lib/report.mjs";
import { interleave } from "../lib/rounds.mjs";
import { median, minimum, spread } from "../lib/statistics.mjs";

export const about = "mgpu-srun true, squeue, scancel, sinfo, sbatch --wrap true; against node -e 0 and /bin/true";

const BENCH = "startup";
const NODE = "node -e 0";
const NOTHING = "/bin/true";
const COMMANDS = [
  { name: "mgpu-srun true", args: ["true"], startsJob: true, references: [NODE, NOTHING] },
  { name: "mgpu-sbatch --wrap true", args: ["--wrap", "true"], startsJob: true, isFronted: true, references: [NODE] },
  { name: "mgpu-squeue (empty)", args: [], isFronted: true, references: [NODE] },
  { name: "mgpu-scancel (unknown id)", args: ["999999"], isFronted: true, references: [NODE] },
  { name: "mgpu-sinfo", args: [], isFronted: true, references: [NODE] },
];

/** In the clean environment all cases count; in the caller's, Node itself is slower, and the launchers avoid that. */
const CA_VARIABLE = "NODE_EXTRA_CA_CERTS";
const CA_SUFFIX = ` with ${CA_VARIABLE}`;

/** In a row they are run by a front, whose CPU time is counted too. */
const FRONT_SUFFIX = " by a front";

const LIMITS = { rounds: 40, budgetMs: 90_000 };
const FRONTED = COMMANDS.filter(({ isFronted }) => isFronted).map((one) => ({ ...one, name: one.name + FRONT_SUFFIX }));

const LIMITS_QUICK = { rounds: 15, budgetMs: 15_000 };

/** Jobs that a command started are over within this time. */
const SETTLE_MS = 20_000;

/** @param {{quick: boolean, note: (text: string) => void}} options */
export async function run({ quick, note }) {
  const cluster = await Cluster.start();
  const meter = new Meter(cluster.work);
  try {
    const client = await cluster.connect();
    const suffixes = process.env[CA_VARIABLE] ? ["", CA_SUFFIX] : [""];
    if (suffixes.length === 1) note(`${CA_VARIABLE} is not set here: no second series with it`);
    const front = await Front.start(cluster);
    const cases = suffixes.flatMap((suffix) => casesIn(cluster, meter, client, suffix));
    const samples = await interleave(
      [...cases, ...fronted(cluster, meter, client, front)],
      quick ? LIMITS_QUICK : LIMITS,
    );
    client.close();
    return [...suffixes.flatMap((suffix) => rowsOf(COMMANDS, samples, suffix)), ...rowsOf(FRONTED, samples, "")];
  } finally {
    meter.close();
    await cluster.stop();
  }
}

function casesIn(cluster, meter, client, suffix) {
  const env = suffix === "" ? cluster.env : { ...cluster.env, [CA_VARIABLE]: process.env[CA_VARIABLE] ?? "" };
  const measure = (name, argv, { exit = 0, startsJob = false } = {}) => ({
    name: name + suffix,
    async run() {
      const measured = await meter.run({ argv, env, exit });
      // What is still to be done for a job must not slow down the next case.
      if (startsJob) await untilIdle(client, SETTLE_MS);
      return measured;
    },
  });
  return [
    measure(NODE, [process.execPath, "-e", "0"]),
    ...(suffix === "" ? [measure(NOTHING, ["/bin/true"])] : []),
    ...COMMANDS.map(({ name, args, ...how }) => measure(name, [cluster.program(name.split(" ")[0]), ...args], how)),
  ];
}

/** What the front does for a command belongs to what the command costs. */
function fronted(cluster, meter, client, front) {
  const env = { ...cluster.env, MGPU_FRONT: "auto" };
  return FRONTED.map(({ name, args, startsJob }) => ({
    name,
    async run() {
      const before = front.cpuMs();
      const measured = await meter.run({ argv: [cluster.program(name.split(" ")[0]), ...args], env });
      const cpuMs = measured.cpuMs + front.cpuMs() - before;
      if (startsJob) await untilIdle(client, SETTLE_MS);
      return { ...measured, cpuMs };
    },
  }));
}

function rowsOf(commands, samples, suffix) {
  return commands.flatMap(({ name, references }) =>
    references
      .filter((reference) => samples.has(reference + suffix))
      .flatMap((reference) => {
        const ours = samples.get(name + suffix);
        const theirs = samples.get(reference + suffix);
        const base = {
          bench: BENCH,
          case: name + suffix,
          unit: "ms",
          samples: ours.length,
          referenceName: reference + suffix,
        };
        const of = (list, key) => list.map((measured) => measured[key]);
        const pair = (metric, key, statistic, more = {}) =>
          row({ ...base, metric, ours: statistic(of(ours, key)), reference: statistic(of(theirs, key)), ...more });
        return [
          pair("wall median", "wallMs", median, { spread: spread(of(ours, "wallMs")) }),
          pair("wall min", "wallMs", minimum),
          pair("cpu min", "cpuMs", minimum),
        ];
      }),
  );
}
