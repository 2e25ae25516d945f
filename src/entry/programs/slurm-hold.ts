/**
 * What a job of Slurm's runs in the place of the program of `mgpu-srun --pty`: its first task is the holder of the session,
 * the others run the program without a terminal. Not for people.
 */

import { rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { formatSession, parseSession, type SessionPlace } from "../../config/slurm-sessions.ts";
import { VERSION } from "../../config/version.ts";
import { type HolderProcess, startHolder } from "../../node/holder/start.ts";
import { holdSession } from "../../node/slurm-session.ts";
import { realClock } from "../../platform/clock.ts";
import { readGroupUse } from "../../platform/memory-groups.ts";
import { realNet } from "../../platform/net.ts";
import { descriptorWriter, plainLog } from "../../platform/plain-log.ts";
import { realProcesses } from "../../platform/process.ts";
import { realProcessTable } from "../../platform/proctable.ts";
import { realPrograms } from "../../platform/programs.ts";
import { realPtys } from "../../platform/pty.ts";
import { realRandom } from "../../platform/random.ts";
import { realScreen } from "../../platform/screen.ts";
import { realSessionFiles } from "../../platform/session-files.ts";
import { makeSessionFolder, SESSION_FOLDER_BYTES, sweepSessionFolders } from "../../platform/session-folders.ts";
import { utcOffsetMinutes } from "../../platform/zone.ts";
import { guestSocketOf } from "../../protocol/holder-socket.ts";
import { fail, messageOf } from "../fail.ts";
import { socketUpkeep } from "../socket-upkeep.ts";

const PROGRAM = "mgpu-srun";

/** Of a token: as good as no chance to guess one. */
const TOKEN_BYTES = 32;

const SOCKET = "holder.sock";

/** Of a socket's 107 bytes: `/holder.step`, as long, stands behind a session's folder. */
const FOLDER_BYTES_MAX = 107 - SESSION_FOLDER_BYTES - `/${SOCKET}`.length;

/** Longer than a controller that is well takes to answer. */
const SCONTROL_MS = 10_000;

/** Signals that Slurm sends to all of a job's processes: the program hears them by itself. */
const PASSING = ["SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGPIPE"] as const;

void main(process.argv[2] ?? "", process.argv.slice(3));

/** @param argv what is to run, also in the file: that is gone once the first task has ended */
async function main(file: string, argv: readonly string[]): Promise<void> {
  if ((process.env.SLURM_PROCID ?? "0") !== "0" && argv.length > 0) return runWithoutTerminal(argv);
  const files = realSessionFiles();
  const session = parseSession(files.read(file) ?? "");
  const { env } = process;
  if (session === null || !/^\d+$/.test(env.SLURM_JOB_ID ?? "")) {
    fail(PROGRAM, `${file} is no session of Slurm's on ${hostname()}: is your home folder the same there?`);
  }
  if ((env.SLURM_PROCID ?? "0") !== "0") return runWithoutTerminal(session.order.argv);
  // Until the program runs there is nothing to be told.
  for (const signal of [...PASSING, "SIGTERM"] as const) process.on(signal, () => {});
  const folder = privateFolder(env.TMPDIR ?? "");
  const end = (code: number): never => {
    // Slurm writes its own words on the exit code into the log.
    for (const path of [file, file.replace(/\.json$/, ".log")]) files.remove(path);
    rmSync(folder, { recursive: true, force: true });
    process.exit(code);
  };
  try {
    const holder = await holderIn(folder);
    const place = placeIn(folder);
    const ports = {
      clock: realClock(),
      tell: (one: SessionPlace) => files.rewrite(file, formatSession({ ...session, place: one })),
      onTold: (told: () => void) => void process.on("SIGTERM", told),
      scontrol,
    };
    const start = { workDir: process.cwd(), environment: ownEnvironment() };
    const { code, problem } = await holdSession(ports, holder, session, place, start);
    if (problem !== "") process.stderr.write(`${PROGRAM}: ${problem}\n`);
    end(code);
  } catch (error) {
    process.stderr.write(`${PROGRAM}: error: the session can't be held on ${hostname()}: ${messageOf(error)}\n`);
    end(1);
  }
}

/** A new folder that nobody else can enter, for the holder's sockets. */
function privateFolder(wish: string): string {
  const isShort = wish.startsWith("/") && Buffer.byteLength(wish) <= FOLDER_BYTES_MAX;
  for (const parent of isShort ? [wish, "/tmp"] : ["/tmp"]) {
    try {
      const folder = makeSessionFolder(parent, hostname());
      void sweepSessionFolders(parent, hostname(), SOCKET, realClock().now());
      return folder;
    } catch (error) {
      if (parent === "/tmp") fail(PROGRAM, `no folder can be made in /tmp on ${hostname()}: ${messageOf(error)}`);
    }
  }
  return fail(PROGRAM, "no folder can be made");
}

function socketIn(folder: string): string {
  return join(folder, SOCKET);
}

function holderIn(folder: string): Promise<HolderProcess> {
  const clock = realClock();
  const log = plainLog(descriptorWriter(2), "error", { daemon: PROGRAM, pid: process.pid });
  const ptys = realPtys(join(__dirname, `pty-${process.arch}.node`));
  const socket = socketIn(folder);
  const ports = {
    ...{ clock, log, ptys, random: realRandom() },
    processes: realProcesses({ scratchFolder: folder, hiddenDescriptors: () => ptys.descriptors }),
    table: realProcessTable({ scope: folder, monotonic: clock.monotonic }),
    openScreen: realScreen,
    // Slurm has set the limits of the job.
    openFiles: null,
    groupUse: readGroupUse,
    utcOffset: utcOffsetMinutes,
    net: realNet(socketUpkeep(socket, log, () => {})),
  };
  return startHolder(ports, { socket, version: VERSION, pid: process.pid, startedAt: clock.now() });
}

function placeIn(folder: string): SessionPlace {
  const { env } = process;
  return {
    cluster: env.SLURM_CLUSTER_NAME ?? "",
    jobId: Number(env.SLURM_JOB_ID),
    attempt: Number(env.SLURM_RESTART_COUNT ?? 0) + 1,
    stepId: Number(env.SLURM_STEP_ID ?? 0),
    node: env.SLURMD_NODENAME ?? hostname().split(".")[0] ?? "",
    socket: guestSocketOf(socketIn(folder)),
    token: realRandom().hex(TOKEN_BYTES),
    startAt: realClock().now(),
  };
}

async function scontrol(...args: readonly string[]): Promise<string> {
  const { find, run } = realPrograms();
  const file = find("scontrol", process.env.PATH ?? "/usr/bin:/bin", "");
  if (file === null) return "";
  // Slurm tells all of a job's processes to end, more than once.
  const deaf = ["-c", `trap "" TERM INT HUP; exec "$0" "$@"`, file, ...args];
  const order = { file: "/bin/sh", args: deaf, environment: process.env, limitMs: SCONTROL_MS };
  const ask = async (): Promise<string> => (await run(order).catch(() => null))?.stdout ?? "";
  return (await ask()) || ask();
}

function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

/** Slurm gives the terminal to the first task alone: the others read and print nothing. */
function runWithoutTerminal([program = "", ...args]: readonly string[]): void {
  const { spawn } = process.getBuiltinModule("node:child_process");
  for (const signal of [...PASSING, "SIGTERM"] as const) process.on(signal, () => {});
  const child = spawn(program, args, { stdio: "ignore" });
  child.once("error", (error) => fail(PROGRAM, `${program}: ${messageOf(error)}`));
  child.once("exit", (code, signal) => process.exit(signal === null ? (code ?? 0) : 1));
}
