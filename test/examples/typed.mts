// The same with types: what is wrong is told before it runs.
import { type Job, type JobRequest, MgpuError, submit, wait } from "mgpu";

const request: JobRequest = { command: ["python3", "train.py"], gpus: "a100:2", time: 90 };
const job: Job = await wait(await submit(request));
// @ts-expect-error: a command is a text or a list of texts
submit({ command: 3 }).catch((error: unknown) => error instanceof MgpuError);
export const state: string = job.state;
