/** Worker threads as a function call: data in, one message out. */

import { parentPort, Worker, workerData } from "node:worker_threads";

/** Runs a program file in a thread; resolves with its first message, rejects if it throws or says nothing. */
export function runWorker(program: string, data: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { workerData: data });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the worker ended without an answer (${code})`)));
    worker.unref();
  });
}

/** Inside such a thread: the data, and the way to answer; `null` on the main thread. */
export function workerCall(): { readonly data: unknown; answer(value: unknown): void } | null {
  const port = parentPort;
  return port && { data: workerData as unknown, answer: (value) => port.postMessage(value) };
}
