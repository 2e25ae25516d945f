/** Replays what it is sent, in a thread of its own: `{path, cluster, policy, isFirstFit}`; see replay.ts for the answer. */

import { parentPort, workerData } from "node:worker_threads";

const { replayFile } = await import(workerData.bundle);

parentPort?.on("message", (job) => parentPort?.postMessage(replayFile(job)));
