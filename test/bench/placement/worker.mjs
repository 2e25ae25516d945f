/** Replays what it is sent, in a thread of its own: `{list, score, seed}` for `{at100, at130}`. */

import { parentPort, workerData } from "node:worker_threads";

const { Openb } = await import(workerData.bundle);
const trace = new Openb(workerData.folder);
const lists = new Map();

parentPort?.on("message", ({ list, score, seed }) => {
  const tasks = lists.get(list) ?? trace.tasks(list);
  lists.set(list, tasks);
  parentPort?.postMessage(trace.replay(tasks, seed, score));
});
