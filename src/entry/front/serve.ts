/** Runs commands for launchers that call at the front's door (platform/front-door.ts). */

import { realpathSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Command, CommandContext } from "../../cli/context.ts";
import { runCommand } from "../../cli/run.ts";
import { type Caller, fileBehind, likenessOf, readCaller, runStateOf } from "../../platform/caller.ts";
import { CallerStreams, type Piece, type Written } from "../../platform/caller-output.ts";
import type { FrontCall, LauncherSignal } from "../../platform/front-door.ts";
import type { Peer } from "../../rpc/types.ts";
import { errnoText } from "../../util/errno.ts";
import { type Errand, errandContext, isLasting } from "./context.ts";
import { canLive, type Live, openLive } from "./live.ts";

/** A launcher reads its answer from this descriptor. */
const ANSWER_DESCRIPTOR = 9;

/** A launcher's shell reads the answer within microseconds of its call, unless the machine is busy. */
const SETTLE_TURNS = 50;
const SETTLE_TRIES = 1000;
const SETTLE_PAUSE_MS = 1;

/** A command that has not come to anything by then is started as a program, which can say why. */
const PATIENCE_MS = 5000;

/** Whether somebody still waits for a command is looked at this often. */
const LOOK_MS = 200;

/** Variables that make commands stay; and those that are for a program of their own. */
const LASTING_VARIABLES = ["SBATCH_WAIT"];
const OWN_VARIABLES = ["NODE_OPTIONS", "MGPU_WRITE_CODE_CACHE"];

/** Commands that stay with their tasks. */
const LIVE: ReadonlySet<string> = new Set(["srun"]);

/** So many of these at once: they take slots for long, of which other commands need some. */
const LIVE_MAX = 32;

/** Of the launcher's environment: paths that may be relative to its folder. */
const PATHS = ["MGPU_HOME", "MGPU_CONFIG"];

/** As the command itself would end: 128 + SIGPIPE. */
const EXIT_READER_GONE = 141;

const TOO_LATE = "a front can't end this (see mgpu-squeue); with MGPU_FRONT=0 before it, it runs without one";

/** All that a command may touch. */
type World = (errand: Errand) => CommandContext;

export interface Front {
  /** Answers a call. Never rejects. */
  serve(call: FrontCall): Promise<void>;
  /** Commands under way. */
  readonly underWay: number;
}

/**
 * A front for the launchers of one installation.
 * @param commands by the names of their launchers
 * @param launcherFolder where these lie, an absolute path
 * @param world for tests: what the commands run in
 */
export function createFront(
  commands: Readonly<Record<string, Command>>,
  launcherFolder: string,
  world: World = errandContext,
): Front {
  const own = likenessOf("self");
  const folder = realpathSync(launcherFolder);
  const zone = zoneOf(process.env);
  let underWay = 0;
  let alive = 0;
  const accept = async (call: FrontCall, early: LauncherSignal[]): Promise<boolean> => {
    const caller = await settled(call, own);
    if (caller === null) return false;
    const command = dirname(caller.launcher) === folder && commands[basename(caller.launcher)];
    if (!command || !isPlain(caller) || zoneOf(caller.environment) !== zone) return false;
    const isLive = LIVE.has(command.name);
    if (isLive ? alive >= LIVE_MAX || !canLive(caller) : isStaying(caller)) return false;
    const streams = CallerStreams.open(call.pid, isLive);
    if (streams === null) return false;
    alive += isLive ? 1 : 0;
    const live = isLive ? openLive(call, streams) : null;
    try {
      return (live !== null || !isLive) && (await runErrand({ command, call, caller, streams, live, early, world }));
    } finally {
      alive -= isLive ? 1 : 0;
      live?.close();
      streams.close();
    }
  };
  return {
    get underWay() {
      return underWay;
    },
    async serve(call) {
      underWay++;
      // Of those that come before anybody wants to hear of them.
      const early: LauncherSignal[] = [];
      call.onSignal((name) => void early.push(name));
      try {
        if (!(await accept(call, early))) call.answer("n");
      } catch {
        // The launcher is gone, or hidden from us: then it runs its command itself.
        call.answer("n");
      } finally {
        underWay--;
      }
    },
  };
}

/**
 * The launcher, once its shell waits for the answer: it then has its own streams back. `null` for one that is not like us,
 * or does not wait for us.
 */
async function settled({ pid, count, answerFile }: FrontCall, own: string): Promise<Caller | null> {
  if (likenessOf(pid) !== own) return null;
  for (let tries = 1; fileBehind(pid, 0) !== answerFile; tries++) {
    if (tries > SETTLE_TRIES || fileBehind(pid, ANSWER_DESCRIPTOR) !== answerFile) return null;
    await new Promise((resolve) => {
      if (tries > SETTLE_TURNS) setTimeout(resolve, SETTLE_PAUSE_MS);
      else setImmediate(resolve);
    });
  }
  return readCaller(pid, count);
}

function isPlain({ environment }: Caller): boolean {
  if (OWN_VARIABLES.some((name) => environment[name] !== undefined)) return false;
  return PATHS.every((name) => !environment[name] || environment[name].startsWith("/"));
}

function isStaying({ args, environment }: Caller): boolean {
  return args.some(isLasting) || LASTING_VARIABLES.some((name) => environment[name] !== undefined);
}

/** What local time depends on. */
function zoneOf({ TZ, TZDIR }: Readonly<Record<string, string | undefined>>): string {
  const info = statSync("/etc/localtime", { throwIfNoEntry: false });
  return [TZ, TZDIR, info?.ino, info?.mtimeMs].join("\n");
}

/** What there is to do. */
interface Order {
  readonly command: Command;
  readonly call: FrontCall;
  readonly caller: Caller;
  readonly streams: CallerStreams;
  readonly live: Live | null;
  readonly early: LauncherSignal[];
  readonly world: World;
}

/** Runs the command; false if the launcher has to do so. Afterwards it is known whether a job was submitted. */
function runErrand({ command, call, caller, streams, live, early, world }: Order): Promise<boolean> {
  const { pid } = call;
  const pieces: Piece[] = [];
  const peers = new Set<Peer>();
  return new Promise<boolean>((resolve) => {
    let state: "open" | "taken" | "over" = "open";
    const finish = (isOurs = state === "taken"): void => {
      if (state !== "over") resolve(isOurs);
      state = "over";
      clearInterval(looking);
      for (const peer of peers) peer.close();
    };
    const isOver = (): boolean => state === "over";
    const isTaken = (): boolean => state === "taken";
    const take = (): void => {
      if (state === "taken") return;
      if (fileBehind(pid, ANSWER_DESCRIPTOR) !== call.answerFile) finish();
      if (state === "over") throw new Error("handed back");
      state = "taken";
      call.answer("t");
      if (live) for (const { stream, data } of pieces.splice(0)) live.output.put(stream, data);
    };
    const handBack = (): never => {
      // Too late for that: the launcher only waits for the end. What was meant to happen at the controller may have happened.
      if (state === "taken") endWith(call, streams, `${caller.program}: error: ${TOO_LATE}\n`);
      finish();
      throw new Error("handed back");
    };
    const startedAt = performance.now();
    const looking = setInterval(() => {
      const isLate = state === "open" && performance.now() - startedAt > PATIENCE_MS;
      // Not whether it is alive: one whose parent does not care that it was killed stays a process.
      if (isLate || fileBehind(pid, ANSWER_DESCRIPTOR) !== call.answerFile) finish();
      else if (state === "taken" && live?.isWakeDue() && runStateOf(pid) === "running") call.answer(".");
    }, LOOK_MS);
    const hear = (name: LauncherSignal): void => {
      if (state === "over" || live?.signal(name) || name === "SIGCONT") return;
      // Nobody has asked for it yet: it ends the program, and so its launcher.
      call.answer(`k ${name.slice(3)}`);
      finish(true);
    };
    call.onSignal(hear);
    const context = world({
      ...{ caller, streams, pieces, live, peers, take, handBack },
      isTaken,
      isOver,
      stdinIsTerminal: call.stdinIsTerminal,
    });
    const answer = async (code: number): Promise<void> => {
      take();
      if (live) return endLive(call, caller, live, code);
      const written = await streams.write(pieces);
      // Nobody reads it; and the next to call there must not.
      if (state === "taken") await tell(call, caller, streams, code, written);
    };
    for (const name of early.splice(0)) hear(name);
    if (isOver()) return;
    void runCommand(command, caller.args, context)
      .then(answer)
      .catch(() => {
        if (isTaken()) endWith(call, streams, `${caller.program}: error: ${TOO_LATE}\n`);
      })
      .finally(() => finish());
  });
}

/** Once all that it said is written. */
async function endLive(call: FrontCall, { program }: Caller, { output }: Live, code: number): Promise<void> {
  await output.emptied();
  const failure = output.untoldFailure();
  if (failure?.name === "OutputFailed") output.say("err", Buffer.from(`${program}: error: ${failure.message}\n`));
  await output.emptied();
  const ended = failure === null ? code : failure.name === "OutputFailed" ? 1 : EXIT_READER_GONE;
  call.end(ended, new Uint8Array(), new Uint8Array());
}

async function tell(call: FrontCall, { program }: Caller, streams: CallerStreams, code: number, written: Written) {
  if (written.state === "failed") {
    const text = `${program}: error: standard output: ${written.problem}\n`;
    await streams.write([{ stream: "err", data: Buffer.from(text) }]);
  }
  const { out, err } = streams.left;
  const ended = { done: code, closed: EXIT_READER_GONE, failed: 1 }[written.state];
  try {
    call.end(ended, Buffer.concat(out), Buffer.concat(err));
  } catch (error) {
    endWith(call, streams, `${program}: error: standard output: ${errnoText(error)}\n`);
  }
}

/** Ends a command that went wrong here, after its launcher had left it to us. */
function endWith(call: FrontCall, streams: CallerStreams, text: string): void {
  void streams.write([{ stream: "err", data: Buffer.from(text) }]);
  call.end(1, new Uint8Array(), new Uint8Array());
}
