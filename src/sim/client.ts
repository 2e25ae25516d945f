/** Clients of a world: they submit jobs, try again with the same request id when an answer is lost, and cancel some. */

import type { JobRequest } from "../core/jobspec.ts";
import { PLAIN_REQUEST } from "../core/resources.ts";
import { RpcError } from "../protocol/errors.ts";
import { helloOf } from "./stage.ts";
import type { World } from "./world.ts";

export interface Clients {
  /** Request id of each submission that was answered with a job id. */
  readonly acknowledged: ReadonlyMap<string, number>;
  /** Every job was submitted, or refused for good. */
  readonly done: boolean;
}

const RETRY_MS = 300;
const TRIES_MAX = 200;
/** How often a user looks after a job. */
const LOOK_MS = 30_000;

/** Starts submitting so many jobs over the first seconds. */
export function runClient(world: World, jobs: number): Clients {
  const acknowledged = new Map<string, number>();
  let finished = 0;
  for (let i = 0; i < jobs; i++) {
    const requestId = `request-${i}`;
    const job = randomJob(world, i);
    const others = world.random.chance(0.15) ? 1 + world.random.below(2) : 0;
    const followers = Array.from({ length: others }, () => ({ ...randomJob(world, i), kind: job.kind }));
    const cancel = world.random.chance(0.15) ? world.random.below(4000) : null;
    world.time.after(world.random.below(8000), () => {
      void submit(world, requestId, job, followers).then((jobId) => {
        finished += 1;
        if (jobId === null) return;
        acknowledged.set(requestId, jobId);
        if (followers.length > 0) void giveUpOnImpossible(world, jobId);
        if (cancel !== null) world.time.after(cancel, () => void cancelJob(world, jobId));
      });
    });
  }
  return {
    acknowledged,
    get done() {
      return finished === jobs;
    },
  };
}

async function submit(
  world: World,
  requestId: string,
  job: JobRequest,
  followers: readonly JobRequest[],
): Promise<number | null> {
  const script = job.kind === "batch" ? new TextEncoder().encode("#!/bin/sh\n") : null;
  const environment = { HOME: "/sim" };
  const others = followers.map((one) => ({ job: one, environment }));
  const params = { requestId, job, script, environment, ...(others.length > 0 ? { followers: others } : {}) };
  let answer: number | null = null;
  await persist(world, async (peer) => {
    const { jobId } = await peer.call("job.submit", params, { deadlineMs: 4000 });
    // Now and then the answer is lost on the way to the user, who tries again.
    if (world.random.chance(0.1)) throw new RpcError("LOST_CONTACT", "lost answer");
    answer = jobId;
  });
  return answer;
}

async function cancelJob(world: World, jobId: number): Promise<void> {
  const filter = { ids: [jobId], users: [], states: [], names: [], partitions: [] };
  await persist(world, async (peer) => {
    await peer.call("jobs.cancel", { filter, stepId: null, signal: null, cause: "sim" }, { deadlineMs: 4000 });
  });
}

/**
 * Components that can't run at the same time wait for ever if they were submitted before any node was known: their user
 * looks now and then, and cancels such a job.
 */
async function giveUpOnImpossible(world: World, jobId: number): Promise<void> {
  const filter = { ids: [jobId], users: [], states: [], names: [], partitions: [] };
  for (let isWaiting = true, isImpossible = false; isWaiting && !world.isOver; ) {
    await new Promise<void>((resolve) => void world.time.after(LOOK_MS, resolve));
    await persist(world, async (peer) => {
      const seen: unknown[][] = [];
      await peer.stream("jobs.list", { filter, fields: ["state", "reason"] }, ({ rows }) => void seen.push(...rows));
      isWaiting = seen.some(([state]) => state === "PENDING");
      isImpossible = seen.some(([, reason]) => reason === "BadConstraints");
    });
    if (isImpossible) return cancelJob(world, jobId);
  }
}

type Peer = Awaited<ReturnType<World["connect"]>>["peer"];

/** Tries until it works, with a connection of its own each time. */
async function persist(world: World, act: (peer: Peer) => Promise<void>): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX && !world.isOver; tries++) {
    try {
      const { peer } = await world.connect("client", helloOf("client"));
      try {
        return await act(peer);
      } finally {
        peer.close();
      }
    } catch (error) {
      if (error instanceof RpcError && error.code === "NOT_FEASIBLE") return;
      await new Promise<void>((resolve) => void world.time.after(RETRY_MS, resolve));
    }
  }
}

function randomJob({ random }: World, index: number): JobRequest {
  const isBatch = random.chance(0.7);
  const gpus = random.below(4);
  const duration = random.below(3000);
  return {
    ...PLAIN_JOB,
    kind: isBatch ? "batch" : "run",
    name: `job-${index}`,
    request: {
      ...PLAIN_REQUEST,
      tasks: isBatch ? 1 : 1 + random.below(3),
      cpusPerTask: 1 + random.below(2),
      memory: random.pick([null, { per: "node", mib: 10_000 }, { per: "node", mib: 20_000 }]),
      gpus: gpus === 0 ? null : { per: "job", wishes: [{ thousandths: gpus * 1000, type: null }] },
    },
    timeLimitS: random.chance(0.2) ? 1 + random.below(3) : null,
    argv: ["sim", String(duration), String(random.pick([0, 0, 0, 1]))],
    requeue: random.chance(0.5),
    retries: random.chance(0.1) ? 1 : 0,
  };
}

/** What all jobs have alike. */
const PLAIN_JOB: JobRequest = {
  ...{ kind: "batch", name: "", partition: null, request: PLAIN_REQUEST, timeLimitS: null, timeMinS: null },
  ...{ workDir: "/sim", argv: [], programs: [], pty: null, umask: 0o22, rlimits: {} },
  io: { stdin: "none", stdout: null, stderr: null, openMode: "truncate", label: false },
  ...{ distribution: "block", gpuBind: null, beginAt: 0, deadlineAt: 0, requeue: true, retries: 0, retryWaitS: 0 },
  ...{ hold: false, priority: null, nice: 0, dependency: null, killOnInvalidDep: false, signal: null, array: null },
  ...{ het: null, account: null, comment: "", wckey: "", qos: null, reservation: null, licenses: [], mail: null },
  ...{ noKill: false, submitHost: "sim", submitLine: "sim" },
};
