/** mgpu-stepd: holds running steps. Started by node daemons, and outlives them. */

import { dirname, join } from "node:path";
import { buildText } from "../../cli/build-text.ts";
import { parseOptions } from "../../cli/getopt.ts";
import { VERSION } from "../../config/version.ts";
import { type HolderProcess, startHolder } from "../../node/holder/start.ts";
import { becomeUser } from "../../platform/become.ts";
import { realClock } from "../../platform/clock.ts";
import { makeFolders } from "../../platform/folders.ts";
import { readGroupUse } from "../../platform/memory-groups.ts";
import { realNet } from "../../platform/net.ts";
import { openFilesForJobs } from "../../platform/open-files.ts";
import { boundedWriter, descriptorWriter, logFileWriter, plainLog } from "../../platform/plain-log.ts";
import { realProcesses } from "../../platform/process.ts";
import { realProcessTable } from "../../platform/proctable.ts";
import { realPtys } from "../../platform/pty.ts";
import { realRandom } from "../../platform/random.ts";
import { removeEmptyFolder } from "../../platform/runtime-folder.ts";
import { realScreen } from "../../platform/screen.ts";
import { utcOffsetMinutes } from "../../platform/zone.ts";
import { guestSocketOf, userSpoolOf } from "../../protocol/holder-socket.ts";
import { fail, messageOf } from "../fail.ts";
import { socketUpkeep } from "../socket-upkeep.ts";

const PROGRAM = "mgpu-stepd";
const OPTIONS = [
  { long: "socket", argument: "required", help: "where to listen" },
  { long: "scope", argument: "required", help: "tells node daemons of one machine apart" },
  { long: "log", argument: "required", help: "log file; standard error otherwise" },
  { long: "log-bytes", argument: "required", help: "bytes after which the log is set aside" },
  { long: "log-backups", argument: "required", help: "logs set aside that are kept" },
  { long: "become", argument: "required", metavar: "uid:gid:groups", help: "whom to become before all else" },
  { long: "version", argument: "none", help: "show the version" },
] as const;

void main();

async function main(): Promise<void> {
  const { values, problems } = parseOptions(OPTIONS, process.argv.slice(2), "permute");
  if (problems.length > 0) fail(PROGRAM, problems.join("; "));
  if (values.has("version")) {
    process.stdout.write(`${buildText(PROGRAM, VERSION)}\n`);
    return;
  }
  const socket = values.get("socket")?.[0];
  if (!socket) fail(PROGRAM, "node daemons start this program; nobody else needs to");
  const user = values.get("become")?.[0];
  const scope = values.get("scope")?.[0] ?? "";
  if (user !== undefined) become(user, socket, scope);
  const clock = realClock();
  const logFile = values.get("log")?.[0];
  const [bytesMax, backups] = ["log-bytes", "log-backups"].map((long) => Number(values.get(long)?.[0]));
  const limits = bytesMax && backups !== undefined ? { bytesMax, backups } : undefined;
  const toStderr = limits && user !== undefined ? boundedWriter(2, limits) : descriptorWriter(2);
  const writer = logFile ? logFileWriter(logFile, limits) : toStderr;
  const log = plainLog(writer, "info", { daemon: PROGRAM, pid: process.pid });
  const table = realProcessTable({ scope, monotonic: clock.monotonic });
  const ptys = realPtys(join(__dirname, `pty-${process.arch}.node`));
  // Not the folder for temporary files: that is the first command's, and may go with its job.
  const processes = realProcesses({ scratchFolder: dirname(socket), hiddenDescriptors: () => ptys.descriptors });
  let holder: HolderProcess | null = null;
  const ports = {
    clock,
    log,
    random: realRandom(),
    processes,
    table,
    ptys,
    openScreen: realScreen,
    openFiles: openFilesForJobs(),
    groupUse: readGroupUse,
    utcOffset: utcOffsetMinutes,
    net: realNet(socketUpkeep(socket, log, () => holder?.leave("another holder listens in its place"))),
  };
  // Its node daemon's terminal, log in and log out are nothing to a holder.
  for (const signal of ["SIGHUP", "SIGINT"] as const) process.on(signal, () => {});
  let isTold = false;
  process.on("SIGTERM", () => {
    isTold = true;
    holder?.leave("SIGTERM");
  });
  try {
    const options = { socket, version: VERSION, pid: process.pid, startedAt: clock.now() };
    holder = await startHolder(ports, options);
    if (isTold) holder.leave("SIGTERM");
    await holder.ended;
    removeEmptyFolder(dirname(socket));
    process.exit(0);
  } catch (error) {
    fail(PROGRAM, `can't listen at ${socket}: ${messageOf(error)}`);
  }
}

/** From here on this program has a user's rights only. The sockets of a holder before it are that user's to remove. */
function become(user: string, socket: string, scope: string): void {
  try {
    const [, uid, gid, groups] = /^(\d+):(\d+):(\d+(?:,\d+)*)$/.exec(user) ?? [];
    if (groups === undefined) throw new Error("expected numbers, uid:gid:group,group...");
    becomeUser({ uid: Number(uid), gid: Number(gid), groups: groups.split(",").map(Number) });
    makeFolders(userSpoolOf(socket, scope), 0o700);
  } catch (error) {
    fail(PROGRAM, `can't become ${user}: ${messageOf(error)}`);
  }
  for (const path of [socket, guestSocketOf(socket)]) realNet().removeStale({ path });
}
