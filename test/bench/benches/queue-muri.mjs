/**
 * Training jobs that take turns on 8 nodes of 8 GPUs (Muri's cuts of the Philly trace): average job completion time,
 * against the published values of Muri's simulator, which the same policies must reproduce to the digit.
 *
 * The cost model is the authors': at every scheduling event (an arrival, an end, a change of queue) each job that ran
 * since the last one loses `event_overhead_s` seconds of progress, whether it is stopped or not; an iteration takes 1.015
 * times as long as the trace says; all GPUs are dealt out anew at each event. A job of up to 8 GPUs has them on one node,
 * a larger one whole nodes; nodes are filled in their order. Their Tiresias-L counts GPUs without placing jobs, so it is
 * replayed on one node of 64 GPUs; ours are placed.
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withBundle } from "../lib/bundle.mjs";
import { readCsv, tracesOf } from "../lib/published.mjs";
import { row } from "../lib/report.mjs";
import { inThreads } from "../lib/threads.mjs";

export const about = "completion times of jobs that take turns (Muri's cuts of Philly), against published values";

const BENCH = "queue-muri";
const HERE = dirname(fileURLToPath(import.meta.url));
const NODES = "8x8";
const COUNTED = "1x64";

/** Each beside what of the published it must equal, or beat: the better one of two that know as little. */
const CASES = [
  { policy: "likely", cluster: NODES, against: ["Tiresias_L", "themis"], kind: "ours, run times unknown" },
  { policy: "srsf-whole", cluster: NODES, against: ["SRSF"], kind: "ours, run times known" },
  { policy: "tiresias-l", cluster: COUNTED, against: ["Tiresias_L"], kind: "reproduced" },
  { policy: "srsf", cluster: NODES, against: ["SRSF"], kind: "reproduced" },
  { policy: "srtf", cluster: NODES, against: ["SRTF"], kind: "reproduced" },
];
const TRACES = ["trace4", "trace1", "trace3"];
/** In a hurry the larger traces are replayed with our policy that knows no run times alone. */
const isQuick = ({ trace, policy }) => trace === "trace3" || policy === "likely";

/** @param {{quick: boolean, note: (text: string) => void}} options */
export async function run({ quick, note }) {
  const folder = tracesOf("muri");
  const published = new Map(
    readCsv(join(folder, "expected.csv")).map((line) => [`${line.trace} ${line.policy}`, Number(line.avg_jct_s)]),
  );
  const cases = TRACES.flatMap((trace) => CASES.map((one) => ({ ...one, trace }))).filter(
    (one) => !quick || isQuick(one),
  );
  note(`${BENCH}: ${cases.length} replays; every event costs each running job event_overhead_s seconds of progress`);
  const jobs = cases.map(({ trace, policy, cluster }) => {
    return { path: join(folder, `${trace}.csv`), cluster, policy, isFirstFit: true };
  });
  const results = await withBundle(join(HERE, "../replay/replay.ts"), (bundle) =>
    inThreads(new URL("../replay/worker.mjs", import.meta.url), { bundle }, jobs),
  );
  const rows = cases.map((one, at) => rowOf(one, results[at], published));
  return rows.sort((a, b) => a.case.localeCompare(b.case));
}

function rowOf({ trace, policy, against, kind }, result, published) {
  const [name, reference] = against
    .map((one) => [one, published.get(`${trace} ${one}`)])
    .reduce((best, one) => (one[1] < best[1] ? one : best));
  return row({
    ...{ bench: BENCH, case: `${trace}, ${policy} (${kind})`, metric: "average completion time", unit: "s" },
    ...{ ours: result.meanCompletionS, reference, referenceName: `${name}, published`, samples: result.jobs },
  });
}
