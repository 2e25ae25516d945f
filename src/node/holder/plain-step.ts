/** Steps without a terminal: each task's streams are files, /dev/null, or pipes to the client. */

import { mergeVariables } from "../../util/variables.ts";
import { execProblem, type LaunchPlan, type PlannedTask } from "./launch-plan.ts";
import { noteKernelKill } from "./memory-group.ts";
import type { HolderPorts } from "./ports.ts";
import type { Step } from "./step.ts";
import { concludeStep, drainPipes, endLeftovers } from "./step-end.ts";
import { afterTask } from "./task-epilog.ts";

/** What starting one task needs, closed after its spawn. */
interface ChildEnds {
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
  close(): void;
}

/**
 * Starts the tasks of a plan.
 * @param onEnd called once, when the step is over and all of its output was read
 * @returns false if a task could not be started: then none runs, and the step says why
 */
export async function startPlainStep(
  ports: HolderPorts,
  step: Step,
  plan: LaunchPlan,
  onEnd: () => void,
): Promise<boolean> {
  const onLastExit = (): void => {
    const work = async (): Promise<void> => {
      await noteKernelKill(ports, step);
      await endLeftovers(ports, step);
      await drainPipes(ports, step);
    };
    concludeStep(ports, step, work, onEnd);
  };
  await ports.processes.prepare(pipesOf(plan));
  for (const planned of plan.tasks) {
    const problem = await startTask(ports, step, planned, onLastExit);
    if (problem === null) continue;
    await endLeftovers(ports, step, 0);
    step.output.closeStreams();
    step.output.drop();
    step.fail([problem.text], new Map([[planned.task, { code: problem.code, signal: 0 }]]));
    return false;
  }
  return true;
}

function pipesOf({ tasks }: LaunchPlan): number {
  return tasks.flatMap(({ stdin, stdout, stderr }) => [stdin, stdout, stderr].filter((one) => one === "client")).length;
}

async function startTask(
  ports: HolderPorts,
  step: Step,
  planned: PlannedTask,
  onLastExit: () => void,
): Promise<{ readonly text: string; readonly code: number } | null> {
  const { processes, table } = ports;
  const ends = await connect(ports, step, planned);
  if (typeof ends === "string") return { text: `Could not make a pipe: ${ends}`, code: 1 };
  const cookie = table.cookie(step.name);
  const { task } = planned;
  const spawned = await processes.spawn({
    file: planned.opener[0] ?? planned.file,
    argv: [...planned.opener, ...planned.argv],
    // First, so that few bytes of a large environment need to be looked at; last, so that a job can't change it.
    environment: mergeVariables(cookie, planned.environment, cookie),
    workDir: step.workDir,
    descriptors: [ends.stdin, ends.stdout, ends.stderr, ...(step.gate?.childEnds ?? [])],
    ownSession: true,
    onExit(exit, spent) {
      step.used.ended(task, spent);
      afterTask(ports, step, planned, () => {
        if (step.noteExit(task, exit)) onLastExit();
      });
    },
  });
  ends.close();
  if ("problem" in spawned) {
    return { text: execProblem(planned.file, spawned.problem), code: spawned.problem.number || 1 };
  }
  const leader = table.adopt(spawned.value, step.name, { spared: false });
  if (leader) step.leaders.set(task, leader);
  return null;
}

/** Makes the pipes between a task and the client; a text says why that was impossible. */
async function connect(ports: HolderPorts, step: Step, planned: PlannedTask): Promise<ChildEnds | string> {
  const { processes } = ports;
  const { task, stdin, stdout, stderr } = planned;
  const pipeEnds: number[] = [];
  const close = (): void => {
    for (const end of pipeEnds.splice(0)) processes.closeDescriptor(end);
  };
  const reading = async (name: "out" | "err"): Promise<number | string> => {
    const pipe = await processes.pipeFromChild();
    if ("problem" in pipe) return pipe.problem.text;
    pipeEnds.push(pipe.value.childEnd);
    step.output.addStream(task, name, pipe.value.source);
    return pipe.value.childEnd;
  };
  const writing = async (): Promise<number | string> => {
    const pipe = await processes.pipeToChild();
    if ("problem" in pipe) return pipe.problem.text;
    pipeEnds.push(pipe.value.childEnd);
    step.input.addTarget(task, pipe.value.target);
    return pipe.value.childEnd;
  };
  const input = stdin === "client" ? await writing() : stdin;
  const output = stdout === "client" ? await reading("out") : stdout;
  const errors = stderr === "client" ? await reading("err") : stderr === "stdout" ? output : stderr;
  for (const end of [input, output, errors]) {
    if (typeof end !== "string") continue;
    close();
    return end;
  }
  return { stdin: input as number, stdout: output as number, stderr: errors as number, close };
}
