/** One job with one step, as srun sees it: a controller and a holder whose connections can be lost at any moment. */

import type { ExitStatus } from "../../../src/core/job.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { AttachPoint, Item, JobRow, JobUpdate, Params, Result } from "../../../src/protocol/procedures.ts";
import type { Connected } from "../../../src/rpc/types.ts";
import { connected, type FakePeer, fakePeer, type Script } from "./fake-context.ts";

type StepItem = Item<"step.attach">;

const JOB_ID = 7;

/** A waiting job; `changes` make it what the test needs. */
export function jobRow(changes: Partial<JobRow> = {}): JobRow {
  return {
    id: JOB_ID,
    name: "x",
    user: "ada",
    uid: 1000,
    partition: "main",
    state: "PENDING",
    reason: "Resources",
    reasonText: "",
    submitAt: 0,
    eligibleAt: 0,
    startAt: null,
    endAt: null,
    suspendedAt: null,
    suspendedMs: 0,
    limitS: 0,
    nodeList: "",
    nodes: 1,
    tasks: 1,
    cpus: 1,
    cpusPerTask: 1,
    memoryMiB: 0,
    gpus: 0,
    gpuType: null,
    gpuIds: "",
    arrayJobId: 0,
    arrayTasks: "",
    hetJobId: 0,
    hetOffset: 0,
    account: "",
    comment: "",
    qos: "",
    wckey: "",
    reservation: "",
    licenses: "",
    dependency: "",
    features: "",
    requestedNodes: "",
    excludedNodes: "",
    nice: 0,
    memoryPer: "node",
    gpusPer: "job",
    exclusive: false,
    onlyUser: false,
    requeue: false,
    timeMinS: 0,
    priority: 0,
    attempt: 1,
    exitCode: 0,
    exitSignal: 0,
    kind: "run",
    command: "x",
    workDir: "/work",
    stdout: "",
    cause: "",
    ...changes,
  };
}

export const RUNNING = { state: "RUNNING", startAt: 1000, nodeList: "n1" } as const;

export interface FakeJob {
  connectController(): Promise<Connected>;
  connectHolder(): Promise<Connected>;
  /** Tells the watchers; the newest update is also what a new watcher hears first. */
  update(
    row: Partial<JobRow>,
    options?: { attach?: AttachPoint[]; final?: boolean; step?: Partial<NonNullable<JobUpdate["step"]>> },
  ): void;
  /** The job runs on n1 with all its tasks. */
  run(tasks?: number): void;
  /** Gives the attached client an item, now and after each new attachment. */
  emit(...items: StepItem[]): void;
  out(task: number, text: string, offset: number): void;
  /** The holder knows nothing of the step any more: an attachment hears nothing. */
  forget(): void;
  /** The step is over. */
  end(exits: readonly (number | ExitStatus)[], problem?: string): void;
  /** Connections get lost; `refuse` makes that many later tries fail, or all of them. */
  loseController(refuse?: number): void;
  loseHolder(refuse?: number): void;
  readonly cancels: Params<"jobs.cancel">[];
  readonly inputs: { task: number | null; offset: number; text: string; eof: boolean }[];
  readonly signals: number[];
  readonly sizes: string[];
  /** While true, calls of step.input are not answered. */
  holdInput: boolean;
  /** What step.input answers with; null for success. */
  inputError: RpcError | null;
  readonly submissions: Params<"job.submit">[];
  readonly connections: { controller: number; holder: number };
}

export function point(node = "n1", firstTask = 0, tasks = 1, stepId = 0): AttachPoint {
  const key = { jobId: JOB_ID, attempt: 1, stepId };
  const numbers = Array.from({ length: tasks }, (_, index) => firstTask + index);
  return { key, node, socket: `/run/${node}.sock`, token: "t", tasks: numbers };
}

/** A step that runs. */
const STEP = { stepId: 3, state: "RUNNING", endAt: null, nodeList: "n1", cause: "" };

export function fakeJob(extra: Script = {}): FakeJob {
  let newest: JobUpdate = { row: jobRow(), step: null, attach: [], final: false };
  const watchers = new Set<(update: JobUpdate) => void>();
  const items: StepItem[] = [];
  const attached = new Set<(item: StepItem) => void>();
  let result: Result<"step.attach"> | null = null;
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let controller: FakePeer | null = null;
  let holder: FakePeer | null = null;
  const refusals = { controller: 0, holder: 0 };
  const heldInputs: (() => void)[] = [];
  const text = (data: Uint8Array): string => new TextDecoder().decode(data);

  const job: FakeJob = {
    cancels: [],
    inputs: [],
    signals: [],
    sizes: [],
    submissions: [],
    connections: { controller: 0, holder: 0 },
    holdInput: false,
    inputError: null,
    async connectController() {
      if (refusals.controller-- > 0) throw new RpcError("LOST_CONTACT", "nobody listens");
      refusals.controller = 0;
      job.connections.controller++;
      controller = fakePeer(controllerScript);
      return connected(controller);
    },
    async connectHolder() {
      if (refusals.holder-- > 0) throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      refusals.holder = 0;
      job.connections.holder++;
      holder = fakePeer(holderScript);
      return connected(holder);
    },
    update(row, { attach, final = false, step } = {}) {
      newest = {
        row: { ...newest.row, ...row },
        step: step ? { ...(newest.step ?? STEP), ...step } : newest.step,
        attach: attach ?? newest.attach,
        final,
      };
      for (const tell of [...watchers]) tell(newest);
    },
    run(tasks = 1) {
      job.update({ ...RUNNING, tasks }, { attach: [point("n1", 0, tasks)] });
      job.emit({ type: "started", tasks: Array.from({ length: tasks }, (_, task) => task) });
    },
    emit(...more) {
      for (const item of more) {
        items.push(item);
        for (const send of [...attached]) send(item);
      }
    },
    out(task, data, offset) {
      job.emit({ type: "data", task, stream: "out", offset, data: new TextEncoder().encode(data) });
    },
    forget() {
      items.length = 0;
    },
    end(list, problem = "") {
      const exits = list.map((exit, task) => ({
        task,
        exit: typeof exit === "number" ? { code: exit, signal: 0 } : exit,
      }));
      for (const { task, exit } of exits) job.emit({ type: "exit", task, exit });
      result = { exits, problem };
      finish();
    },
    loseController(refuse = 0) {
      refusals.controller = refuse;
      watchers.clear();
      controller?.lose();
    },
    loseHolder(refuse = 0) {
      refusals.holder = refuse;
      attached.clear();
      heldInputs.length = 0;
      holder?.lose();
    },
  };

  const controllerScript: Script = {
    "job.submit": (params) => {
      job.submissions.push(params);
      return { jobId: JOB_ID };
    },
    "job.watch": (_, send) =>
      new Promise((resolve, reject) => {
        const tell = (update: JobUpdate): void => {
          send(update).then(() => update.final && resolve({}), reject);
        };
        watchers.add(tell);
        tell(newest);
      }),
    "jobs.cancel": (params) => {
      job.cancels.push(params);
      return { jobs: [{ jobId: JOB_ID, error: null }] };
    },
    ...extra,
  };

  const holderScript: Script = {
    "step.attach": async (_, send) => {
      let queue = Promise.resolve();
      let fail: (error: unknown) => void = () => {};
      const failed = new Promise<never>((_, reject) => {
        fail = reject;
      });
      const push = (item: StepItem): void => {
        queue = queue.then(() => send(item));
        queue.catch(fail);
      };
      for (const item of items) push(item);
      attached.add(push);
      await Promise.race([finished, failed]);
      await queue;
      return result as Result<"step.attach">;
    },
    "step.input": async ({ task, offset, data, eof }) => {
      if (job.inputError) throw job.inputError;
      job.inputs.push({ task, offset, text: text(data), eof });
      if (job.holdInput) await new Promise<void>((resolve) => heldInputs.push(resolve));
      return {};
    },
    "step.signal": ({ signal }) => {
      job.signals.push(signal);
      return {};
    },
    "step.resize": ({ columns, rows }) => {
      job.sizes.push(`${columns}x${rows}`);
      return {};
    },
  };
  return job;
}
