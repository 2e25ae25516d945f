/**
 * Placement on Alibaba's GPU sharing trace: which part of the GPUs of 1,213 nodes is granted when tasks that ask for 100
 * and 130 % of them have come. References are the published means over seeds 42 to 51 (shared/traces/openb).
 */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withBundle } from "../lib/bundle.mjs";
import { row } from "../lib/report.mjs";
import { inThreads } from "../lib/threads.mjs";

export const about = "share of GPUs granted on the openb trace by best-fit, fgd and thrifty; against published means";

const BENCH = "placement-openb";
const HERE = dirname(fileURLToPath(import.meta.url));
const FOLDER = process.env.MGPU_BENCH_TRACES ?? join(HERE, "../../../../shared/traces");
const LISTS = ["default", "gpuspec33", "multigpu50", "gpushare100", "cpu250"];
/** Ours, and what of the published it stands beside. */
const SCORES = [
  { score: "best-fit", published: "BestFit" },
  { score: "fgd", published: "FGD" },
  { score: "thrifty", published: "FGD" },
];
/** Not in a hurry: the score that is used where nothing is set. */
const SCORES_MORE = [{ score: "pack", published: "BestFit" }];
const SEEDS = Array.from({ length: 10 }, (_, at) => 42 + at);
const SEEDS_QUICK = [42, 43];

/** @param {{quick: boolean, note: (text: string) => void}} options */
export async function run({ quick, note }) {
  const folder = join(FOLDER, "openb");
  if (!existsSync(folder)) throw new Error(`there is no ${folder}: name the folder of traces in MGPU_BENCH_TRACES`);
  const seeds = quick ? SEEDS_QUICK : SEEDS;
  note(`${BENCH}: seeds ${seeds.join(", ")}; share of all GPUs granted when 100 and 130 % have been asked for`);
  const scores = quick ? SCORES : [...SCORES, ...SCORES_MORE];
  const jobs = LISTS.flatMap((list) => scores.flatMap(({ score }) => seeds.map((seed) => ({ list, score, seed }))));
  const results = await withBundle(join(HERE, "../placement/openb.ts"), (bundle) => replayAll(bundle, folder, jobs));
  const published = publishedMeans(folder);
  return [...LISTS, "mean of the lists"].flatMap((list) =>
    scores.flatMap(({ score, published: name }) => rowsOf({ list, score, name, jobs, results, published })),
  );
}

/** Results in the order of the jobs. */
function replayAll(bundle, folder, jobs) {
  return inThreads(new URL("../placement/worker.mjs", import.meta.url), { bundle, folder }, jobs);
}

function rowsOf({ list, score, name, jobs, results, published }) {
  const lists = LISTS.includes(list) ? [list] : LISTS;
  const own = results.filter((_, at) => jobs[at].score === score && lists.includes(jobs[at].list));
  return [
    ["at100", "gar_at_100", "100 %"],
    ["at130", "gar_at_130", "130 %"],
  ].map(([key, column, when]) =>
    row({
      ...{ bench: BENCH, case: `${list}, ${score}`, metric: `GPUs granted at ${when}`, unit: "%" },
      ours: mean(own.map((result) => result[key])),
      reference: mean(lists.map((one) => published.get(`${one} ${name}`)[column])),
      ...{ referenceName: `${name}, published`, samples: own.length },
    }),
  );
}

/** The published means by list and policy. */
function publishedMeans(folder) {
  const [head, ...lines] = readFileSync(join(folder, "expected_means.csv"), "utf8").trim().split("\n");
  const names = head.split(",");
  return new Map(
    lines.map((line) => {
      const [workload, policy, ...values] = line.split(",");
      return [`${workload} ${policy}`, Object.fromEntries(values.map((value, at) => [names[at + 2], Number(value)]))];
    }),
  );
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
