/** A job's output as it grows: the end of its file, read through the controller, on whichever node it lies. */

import { outputsOf } from "../core/outputs.ts";
import type { Clock } from "../platform/clock.ts";
import type { Peer } from "../rpc/types.ts";
import { recordOf } from "./live-records.ts";
import type { Message } from "./model.ts";
import type { Source } from "./ports.ts";
import { sentence } from "./sentence.ts";

/** The end of a long output that is shown at first. */
const TAIL_BYTES = 128 * 1024;

/** Bytes asked for at a time. */
const WINDOW_BYTES = 128 * 1024;

/** A file tells nobody that it has grown. */
const LOOK_MS = 500;

type Told = Parameters<Source["follow"]>[0];

interface File {
  readonly stepId: number | "batch";
  readonly node: string;
  readonly path: string;
}

/** Follows one output at a time. */
export function createFollower(
  clock: Clock,
  peer: () => Peer,
  tell: (message: Message) => void,
): { readonly follow: Source["follow"] } {
  let turn = 0;
  let stopTimer = (): void => {};
  return {
    follow(job) {
      turn += 1;
      stopTimer();
      if (job === null) return;
      const mine = turn;
      const reading = createReading(job, peer);
      const look = async (): Promise<void> => {
        const message = await reading.look().catch((error: unknown) => trouble(job, sentence(error)));
        if (mine !== turn) return;
        if (message) tell(message);
        stopTimer = clock.after(message?.text && !message.problem ? 0 : LOOK_MS, () => void look());
      };
      void look();
    },
  };
}

type LogMessage = Extract<Message, { type: "log" }>;

function trouble(job: NonNullable<Told>, problem: string): LogMessage {
  return { type: "log", jobId: job.jobId, path: "", text: "", isReset: true, problem };
}

/** Each look answers with what is new; `null` if nothing is. */
function createReading(job: NonNullable<Told>, peer: () => Peer): { look(): Promise<LogMessage | null> } {
  let file: File | null = null;
  let position = -1;
  let decoder = new TextDecoder();
  const message = (text: string, isReset: boolean): LogMessage => {
    return { type: "log", jobId: job.jobId, path: file?.path ?? "", text, isReset, problem: "" };
  };
  const read = async ({ stepId, node, path }: File, from: number, bytes: number) =>
    (await peer().call("job.output", { jobId: job.jobId, stepId, node, path, from, bytes })).window;
  return {
    async look() {
      if (file === null) {
        const found = await findFile(peer(), job);
        if (typeof found === "string") return trouble(job, found);
        file = found;
      }
      let isReset = false;
      if (position < 0) {
        const size = (await read(file, 0, 0))?.size;
        if (size === undefined) return message("", true);
        position = Math.max(0, size - TAIL_BYTES);
        isReset = true;
      }
      const window = await read(file, position, WINDOW_BYTES);
      if (window === null || window.size < position) {
        // It was removed or emptied: what comes is new.
        position = -1;
        decoder = new TextDecoder();
        return message("", true);
      }
      position += window.data.length;
      const text = decoder.decode(window.data, { stream: true });
      return text === "" && !isReset ? null : message(text, isReset);
    },
  };
}

/** The file, or why there is none. */
async function findFile(peer: Peer, { jobId, stream }: NonNullable<Told>): Promise<File | string> {
  const { entry } = await recordOf(peer, jobId);
  const { job } = entry;
  if (job.state === "PENDING") return "it has no output yet: it waits";
  const outputs = outputsOf(job);
  const wanted = [stream, "both"];
  for (const { stepId, files } of outputs) {
    const file = files.find(({ streams }) => wanted.includes(streams));
    if (file) return { stepId, node: file.node, path: file.path };
  }
  const host = outputs.find(({ clientHost }) => clientHost !== null)?.clientHost;
  if (host) return `its output goes to the command that started it, on ${host}; a attaches to it`;
  return outputs.length === 0
    ? "nothing of it has printed anything yet"
    : `it has no file for ${stream}; o shows the other`;
}
