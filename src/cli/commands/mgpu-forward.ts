/**
 * mgpu forward: a port of this machine that leads to a port of a job's node, through a step within the job. The step is
 * the other end of the tunnel (mgpu-forward-end.ts), so wherever srun reaches, this does, and as the job's user.
 */

import type { TcpStream } from "../../platform/tcp.ts";
import { errnoText } from "../../util/errno.ts";
import { Tunnel } from "../attach/tunnel.ts";
import { type Command, type CommandContext, type Input, UserError } from "../context.ts";
import { parseJobTarget } from "../filters.ts";
import { runCommand } from "../run.ts";
import { EXIT_USAGE } from "../usage.ts";

const PORT_MAX = 65_535;

export const command: Command = {
  name: "mgpu forward",
  summary: "Make a port of a job's node a port of this machine, until Ctrl-C",
  synopsis: "[OPTIONS...] JOB PORT[:LOCAL_PORT]",
  options: [
    { long: "nodelist", short: "w", argument: "required", metavar: "node", help: "the node of the job that is meant" },
    { long: "quiet", short: "q", argument: "none", help: "say nothing but errors" },
  ],
  operands: "permute",
  examples: ["mgpu forward 12 8888", "mgpu forward 12 6006:16006"],
  async run({ values, operands }, context) {
    const { jobId, port, localPort } = readPlan(operands, context);
    await checkRuns(jobId, context);
    // Our input is read once the step runs: only then the port leads anywhere.
    const ends = new FrameQueue(() => say());
    const tunnel = new Tunnel((frame) => ends.push(frame), null);
    const listening = await listen(localPort, port, (stream) => tunnel.accept(stream), context);
    const node = values.get("nodelist")?.at(-1);
    const where = node === undefined ? "" : ` on ${node}`;
    const say = (): void => {
      if (values.has("quiet")) return;
      const text = `127.0.0.1:${listening.port} leads to port ${port} of job ${jobId}${where}; Ctrl-C ends it`;
      context.stdio.err(`${context.program}: ${text}\n`);
    };
    const { command: srun } = await import("./srun.ts");
    const argv = [
      ...["--jobid", String(jobId), "--overlap", "-n1", "-N1", "--no-pty", "--quiet", "--quit-on-interrupt"],
      ...["-J", "forward", ...(node === undefined ? [] : ["-w", node])],
      ...[`${context.launcherFolder}/mgpu`, "forward-end", String(port)],
    ];
    try {
      return await runCommand(srun, argv, throughTunnel(context, tunnel, ends));
    } finally {
      listening.close();
      tunnel.close();
    }
  },
};

interface Plan {
  readonly jobId: number;
  readonly port: number;
  /** `null`: the same, if it is free. */
  readonly localPort: number | null;
}

function readPlan([job = "", ports = "", ...more]: readonly string[], { program }: CommandContext): Plan {
  const problems: string[] = [];
  const target = parseJobTarget(job);
  const [portText = "", localText, ...rest] = ports.split(":");
  const port = portOf(portText, 1);
  const localPort = localText === undefined ? null : portOf(localText, 0);
  if (job === "") problems.push("which job? Give its number");
  else if (!target || target.step !== null || target.tasks !== null) problems.push(`"${job}" is no job's number`);
  if (ports === "") problems.push("which port? Give that of the program, for instance 8888");
  else if (port === null || (localText !== undefined && localPort === null) || rest.length > 0) {
    problems.push(`expected PORT or PORT:LOCAL_PORT, numbers up to ${PORT_MAX}, got "${ports}"`);
  }
  for (const word of more) problems.push(`unexpected word "${word}"`);
  if (problems.length > 0 || !target || port === null) {
    throw new UserError(problems, `${program} --help shows what it takes`, EXIT_USAGE);
  }
  return { jobId: target.jobId, port, localPort };
}

/** Before anybody is told of a port that leads nowhere. @throws UserError for a job that does not run */
async function checkRuns(jobId: number, context: CommandContext): Promise<void> {
  const { peer } = await context.connect({ start: true });
  try {
    const filter = { ids: [jobId], users: [], states: [], names: [], partitions: [] };
    const states: string[] = [];
    await peer.stream("jobs.list", { filter, fields: ["state"] }, ({ rows }) => {
      states.push(...rows.map(([state]) => String(state)));
    });
    if (states.includes("RUNNING")) return;
    const what = states[0] === undefined ? "there is no job of that number" : `it is ${states[0]}`;
    throw new UserError(`job ${jobId} does not run: ${what}`, "mgpu-squeue lists the jobs");
  } finally {
    peer.close();
  }
}

function portOf(text: string, least: number): number | null {
  if (!/^\d{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port >= least && port <= PORT_MAX ? port : null;
}

/** Where no port of this machine was named and the job's is taken here (by the job itself, on one machine), any will do. */
async function listen(
  wanted: number | null,
  jobPort: number,
  accept: (stream: TcpStream) => void,
  context: CommandContext,
) {
  const tcp = await context.tcp();
  const port = wanted ?? jobPort;
  try {
    return await tcp.listen(port, accept);
  } catch (error) {
    if (wanted === null && (error as { code?: string }).code === "EADDRINUSE") return tcp.listen(0, accept);
    const hint = `give another one after a colon, or 0 for any that is free: ${context.program} JOB PORT:0`;
    throw new UserError(`port ${port} of this machine: ${errnoText(error)}`, hint);
  }
}

/** srun as the carrier: its input are our frames, its output those of the other end. */
function throughTunnel(context: CommandContext, tunnel: Tunnel, input: FrameQueue): CommandContext {
  const { stdio, session } = context;
  const streams = {
    ...{ stdinIsTerminal: false, stdoutIsTerminal: false, stderrIsTerminal: stdio.stderrIsTerminal },
    out: (data: string | Uint8Array) =>
      tunnel.receive(typeof data === "string" ? new TextEncoder().encode(data) : data),
    err: (data: string | Uint8Array) => stdio.err(data),
  };
  return { ...context, stdio: streams, session: { ...session, input } };
}

/** Frames as an input that is read. */
class FrameQueue implements Input {
  private frames: Uint8Array[] = [];
  private isStopped = false;
  private wake: () => void = () => {};
  private readonly onRead: () => void;

  constructor(onRead: () => void) {
    this.onRead = onRead;
  }

  push(frame: Uint8Array): void {
    this.frames.push(frame);
    this.wake();
  }

  async read(take: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    this.onRead();
    while (!this.isStopped) {
      const frame = this.frames.shift();
      if (frame) await take(frame);
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
    }
  }

  stop(): void {
    this.isStopped = true;
    this.wake();
  }
}
