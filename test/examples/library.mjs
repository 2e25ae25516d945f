// mgpu as a library: queues a job, follows it, reads what it prints, and runs a program with two GPUs.
import { attach, cancel, connect, MgpuError, nodes, run, submit, watch } from "mgpu";

const on = await connect(); // mgpu is started on this machine if none is configured or runs
for (const { name, gpus } of await nodes(on)) console.log(`${name} has ${gpus.length} GPUs`);

const job = await submit({ command: "echo training; exit 3", gpus: 1, name: "train", output: "train.txt" }, on);
for await (const { state } of watch(job, on)) if (state === "FAILED") console.log(`job ${job} failed`);

const { exitCode } = await attach(job, { onOutput: (data) => process.stdout.write(data) }, on);
console.log(`its exit code is ${exitCode}`);

// As mgpu-srun: waits for the GPUs, runs, streams.
const shown = { onOutput: (data, stream) => process[stream].write(data) };
await run({ command: ["sh", "-c", "echo on GPUs $CUDA_VISIBLE_DEVICES"], gpus: 2 }, shown, on);

const sleeper = await submit({ command: "sleep 1000", gpus: 1, output: "/dev/null" }, on);
await cancel(sleeper, {}, on);

try {
  await submit({ command: "true", gpus: "two", time: "soon" }, on);
} catch (error) {
  if (!(error instanceof MgpuError)) throw error;
  for (const problem of error.problems) console.log(problem);
}
on.close();
