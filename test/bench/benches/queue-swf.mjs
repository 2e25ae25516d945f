/**
 * Backfill on two logs of the Parallel Workloads Archive: average bounded slowdown (10 s), against the published values of
 * Gaussier et al. (SC 2015). EASY must reproduce theirs, job by job. Ours never look at true run times: the time that a
 * job is likely to run is that of its user's last two jobs, and only decides who comes first; what is promised rests on
 * what users asked for.
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withBundle } from "../lib/bundle.mjs";
import { readCsv, tracesOf } from "../lib/published.mjs";
import { row } from "../lib/report.mjs";
import { inThreads } from "../lib/threads.mjs";

export const about = "bounded slowdown with backfill on two SWF logs, against published values";

const BENCH = "queue-swf";
const HERE = dirname(fileURLToPath(import.meta.url));
const REQUESTED = "requested time";

const CASES = [
  { policy: "slowdown", algorithm: "EASY-SJBF", kind: "ours, run times unknown" },
  { policy: "easy-predict", algorithm: "EASY-SJBF", kind: "ours, run times unknown" },
  { policy: "easy", algorithm: "EASY", kind: "reproduced" },
  { policy: "easy-sjbf", algorithm: "EASY-SJBF", kind: "reproduced" },
];
const LOGS = [
  { log: "SDSC-SP2", file: "sdsc_sp2.csv.gz", cluster: "1x0x128" },
  { log: "KTH-SP2", file: "kth_sp2.csv.gz", cluster: "1x0x100" },
];
/** In a hurry our best alone, and one that is reproduced. */
const isQuick = ({ log, policy }) => policy === "slowdown" || (log === "KTH-SP2" && policy === "easy");

/** @param {{quick: boolean, note: (text: string) => void}} options */
export async function run({ quick, note }) {
  const folder = tracesOf("swf");
  const published = readCsv(join(folder, "expected.csv")).filter((line) => line.runtime_estimate === REQUESTED);
  const cases = LOGS.flatMap((log) => CASES.map((one) => ({ ...one, ...log }))).filter((one) => !quick || isQuick(one));
  note(`${BENCH}: ${cases.length} replays; our policies know users' requests and what their jobs before took`);
  const jobs = cases.map(({ file, policy, cluster }) => {
    return { path: join(folder, file), cluster, policy, isFirstFit: false };
  });
  const results = await withBundle(join(HERE, "../replay/replay.ts"), (bundle) =>
    inThreads(new URL("../replay/worker.mjs", import.meta.url), { bundle }, jobs),
  );
  const rows = cases.flatMap((one, at) => rowsOf(one, results[at], published));
  return rows.sort((a, b) => a.case.localeCompare(b.case));
}

function rowsOf({ log, policy, algorithm, kind }, result, published) {
  const line = published.find((one) => one.log === log && one.algorithm === algorithm);
  const common = { bench: BENCH, case: `${log}, ${policy} (${kind})`, samples: result.jobs };
  const referenceName = `${algorithm}, published`;
  const rows = [
    row({
      ...{ ...common, metric: "average bounded slowdown", unit: "", referenceName },
      ...{ ours: result.meanSlowdown, reference: Number(line.avg_bsld) },
    }),
    row({
      ...{ ...common, metric: "largest bounded slowdown", unit: "", referenceName },
      ...{ ours: result.maxSlowdown, reference: Number(line.max_bsld) },
    }),
  ];
  if (policy !== "easy") return rows;
  const metric = "jobs that start at another second than published";
  return [
    ...rows,
    row({ ...common, metric, unit: "", ours: result.startsElsewhere, reference: null, referenceName: "" }),
  ];
}
