/** Work that is dealt out to threads, as many as there are processors. */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

const WORKERS_MAX = 8;

/** MiB for what lives short: replays make much of it, and with the default of 16 a third of the time is its clearing. */
const YOUNG_MIB = 64;

/**
 * What a worker answers to each message, in the order of the messages; the first ones begin first.
 * @param {URL} script of the worker, which answers each message with one
 * @param {unknown} workerData
 * @param {readonly unknown[]} messages
 * @returns {Promise<any[]>}
 */
export async function inThreads(script, workerData, messages) {
  const answers = messages.map(() => null);
  let next = 0;
  const work = async () => {
    const worker = new Worker(script, { workerData, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } });
    try {
      while (next < messages.length) {
        const at = next++;
        answers[at] = await ask(worker, messages[at]);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(WORKERS_MAX, availableParallelism(), messages.length) }, work));
  return answers;
}

function ask(worker, message) {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (answer) => {
      worker.off("error", reject);
      resolve(answer);
    });
    worker.postMessage(message);
  });
}
