/**
 * The world of a command that a front runs for a launcher: the launcher's streams, folder, variables and limits. What can't
 * be had for another process, or would take long, hands the command back: the launcher then starts it as a program.
 */

import { readFileSync, type Stats, statSync } from "node:fs";
import { resolve } from "node:path";
import type { CommandContext, Files, SessionPorts, Shell, Stdio } from "../../cli/context.ts";
import type { Caller } from "../../platform/caller.ts";
import type { CallerStreams, Piece, Stream } from "../../platform/caller-output.ts";
import { realFiles } from "../../platform/files.ts";
import { parseLimits } from "../../platform/shell.ts";
import { terminalSize } from "../../platform/terminal-size.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Connected, Peer } from "../../rpc/types.ts";
import { contextFor } from "../command.ts";
import type { Live } from "./live.ts";

/** Questions that change nothing and may be asked twice. */
const QUESTIONS: ReadonlySet<string> = new Set([
  "controller.status",
  "jobs.get",
  "jobs.history",
  "jobs.list",
  "models.list",
  "nodes.list",
  "partitions.list",
  "reservations.list",
  "licenses.list",
]);

/** Options of commands that stay, or ask: they want a program of their own. */
const LASTING = /^(--(it|wait|prog|int|pty)|-[A-Za-z]*[iW])/;

/** Each process's own: what the launcher means is not here. */
const OWN_FILES = /^\/(proc|dev\/(fd|std(in|out|err)|tty))(\/|$)/;

/** Output that is kept until the command is over; who says more than that can spare the time of a program's start. */
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

/** Whether a word of a command line may be such an option. */
export function isLasting(word: string): boolean {
  return LASTING.test(word);
}

/** A command under way. */
export interface Errand {
  readonly caller: Caller;
  readonly streams: CallerStreams;
  readonly stdinIsTerminal: boolean;
  /** What it said so far that was not shown. */
  readonly pieces: Piece[];
  /** Of one that shows output as it comes; `null` for those that say all at their end. */
  readonly live: Live | null;
  /** From here on it is ours alone, and the launcher does not start it any more. @throws if it was handed back */
  take(): void;
  readonly isTaken: () => boolean;
  /** Gives it back. @throws always */
  handBack(): never;
  /** Nobody waits for it any more. */
  isOver(): boolean;
  /** To be closed once it is over. */
  readonly peers: Set<Peer>;
}

/** All that the command may touch. */
export function errandContext(errand: Errand): CommandContext {
  const { caller } = errand;
  const handBack = (): never => errand.handBack();
  const context = contextFor(caller.program, caller.environment, undefined, {
    cwd: caller.cwd,
    stdio: stdioOf(errand),
    files: filesAt(caller.cwd, handBack),
    shell: shellOf(caller, handBack),
    // Only one that died meanwhile is started here, as it would be there.
    beforeStart() {
      const { NOFILE } = errand.isTaken() ? limitsOf(caller.pid) : handBack();
      return NOFILE === undefined || NOFILE < 0 ? {} : { MGPU_NOFILE: String(NOFILE) };
    },
  });
  return {
    ...context,
    openTui: handBack,
    machine: handBack,
    doctor: handBack,
    loadReplay: handBack,
    session: sessionOf(errand, context.session),
    // Slurm's commands want the launcher's own terminal, and its variables.
    slurm: () => (context.slurm() === null ? null : handBack()),
    async connect(options) {
      if (context.slurm() !== null) handBack();
      refuseIfOver(errand);
      return guarded(errand, await context.connect(options));
    },
  };
}

/** Signals go to the launcher: it passes them on where the command stays, else it ends, which is seen. */
function sessionOf(errand: Errand, own: SessionPorts): SessionPorts {
  const { live, streams } = errand;
  const handBack = (): never => errand.handBack();
  return {
    input: live?.input ?? { read: handBack, stop() {} },
    terminal: {
      ...{ isForeground: handBack, raw: handBack, fullScreen: handBack, suspend: handBack },
      size: () => (streams.out.isTerminal ? terminalSize(streams.out.descriptor ?? -1) : null),
      hasParent: () => true,
    },
    onSignal: (name, handler) => live?.onSignal(name, handler) ?? (() => {}),
    startChild: handBack,
    async connectHolder(point) {
      refuseIfOver(errand);
      return guarded(errand, await own.connectHolder(point));
    },
  };
}

/** An error with which whoever seeks contact gives up at once. */
function refuseIfOver(errand: Errand): void {
  if (errand.isOver()) throw new RpcError("PERMISSION", "nobody waits for this command any more");
}

function stdioOf({ streams, stdinIsTerminal, pieces, live, isTaken, isOver, handBack }: Errand): Stdio {
  let bytes = 0;
  const say = (stream: Stream, data: string | Uint8Array): void => {
    if (isOver()) return;
    const text = typeof data === "string" ? Buffer.from(data, "utf8") : data;
    if (live !== null && isTaken()) return live.output.say(stream, text);
    bytes += text.length;
    if (bytes > OUTPUT_BYTES_MAX) handBack();
    pieces.push({ stream, data: Uint8Array.from(text) });
  };
  return {
    stdinIsTerminal,
    stdoutIsTerminal: streams.out.isTerminal,
    stderrIsTerminal: streams.err.isTerminal,
    out: (data) => say("out", data),
    err: (data) => say("err", data),
  };
}

/**
 * Paths are meant from the launcher's folder, and what is made there would need its umask. What may keep its reader waiting, as a
 * FIFO does, would keep all other commands waiting, too.
 */
function filesAt(cwd: string, handBack: () => never): Files {
  const files = realFiles();
  const at = (path: string): string => {
    const full = resolve(cwd, path);
    return OWN_FILES.test(full) ? handBack() : full;
  };
  const readable = (path: string): string => {
    const full = at(path);
    const info = lookAt(full);
    return info && !info.isFile() && !info.isDirectory() ? handBack() : full;
  };
  return {
    ...files,
    read: (path) => files.read(readable(path)),
    readWhile(path, goOn) {
      if (path === null) return handBack();
      const script = files.readWhile(readable(path), goOn);
      return asksToStay(script) ? handBack() : script;
    },
    isFolder: (path) => files.isFolder(at(path)),
    trustProblem: (path, owner) => files.trustProblem(at(path), owner),
    exists: (path) => files.exists(at(path)),
    writeProblem: (path) => files.writeProblem(at(path)),
    write: handBack,
    replace: handBack,
    stat: (path) => files.stat(at(path)),
    chunks: (path, bytes) => files.chunks(readable(path), bytes),
    window: (path, from, bytes) => files.window(readable(path), from, bytes),
    link: handBack,
    remove: (path) => files.remove(at(path)),
  };
}

/** Whether a batch script's own options are such that its command stays. */
function asksToStay(script: Uint8Array): boolean {
  const directives =
    Buffer.from(script)
      .toString("latin1")
      .match(/^#(SBATCH|MGPU)\s.*$/gm) ?? [];
  return directives.some((line) => line.split(/\s+/).some(isLasting));
}

/** `null` for what can't be looked at: reading it says why. */
function lookAt(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function shellOf({ pid, umask }: Caller, handBack: () => never): Shell {
  return {
    umask: () => umask,
    limits: () => limitsOf(pid),
    loginEnvironment: handBack,
  };
}

function limitsOf(pid: number): Readonly<Record<string, number>> {
  return parseLimits(readFileSync(`/proc/${pid}/limits`, "latin1"));
}

/** Whatever is no mere question is asked only once the launcher knows that it is asked here. */
function guarded(errand: Errand, connected: Connected): Connected {
  const { peer } = connected;
  if (errand.isOver()) peer.close();
  refuseIfOver(errand);
  errand.peers.add(peer);
  const own: Peer = {
    async call(method, params, options) {
      if (!QUESTIONS.has(method)) errand.take();
      return peer.call(method, params, options);
    },
    async stream(method, params, onItem, options) {
      if (!QUESTIONS.has(method)) errand.take();
      return peer.stream(method, params, errand.live?.paced(onItem) ?? onItem, options);
    },
    closed: peer.closed,
    close() {
      errand.peers.delete(peer);
      peer.close();
    },
  };
  return { ...connected, peer: own };
}
