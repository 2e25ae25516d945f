/**
 * What a plain Node program gets: node spawn-loop.mjs COUNT CONCURRENCY PROGRAM [ARGS...]
 * runs the program so often, so many at a time, and prints the milliseconds that it took.
 */

import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";

const [count, concurrency, program, ...args] = process.argv.slice(2);
let left = Number(count);

const start = performance.now();
await Promise.all(Array.from({ length: Number(concurrency) }, worker));
process.stdout.write(`${performance.now() - start}\n`);

async function worker() {
  while (left > 0) {
    left--;
    await once();
  }
}

function once() {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))));
  });
}
