/** A controller of this machine: real ports, the lock, orderly ends. */

import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { VERSION } from "../config/version.ts";
import type { ElasticPorts } from "../controller/elastic/open.ts";
import { type Controller, startController } from "../controller/main.ts";
import { realBatchPrograms } from "../platform/batch-programs.ts";
import { realClock } from "../platform/clock.ts";
import { realDigest } from "../platform/digest.ts";
import { realDisk } from "../platform/disk.ts";
import { realFeedFiles } from "../platform/feed-files.ts";
import { createBound } from "../platform/file-window.ts";
import { makeLastingFolders } from "../platform/folders.ts";
import { ownAddresses, readHost } from "../platform/host.ts";
import { servePages } from "../platform/http-page.ts";
import { takeLock } from "../platform/lock.ts";
import { fileLog, type Log } from "../platform/log.ts";
import { realMailer } from "../platform/mailer.ts";
import { realNet } from "../platform/net.ts";
import { logFileWriter, plainLog } from "../platform/plain-log.ts";
import { ringBell } from "../platform/probe.ts";
import { realProgramFiles } from "../platform/program-files.ts";
import { realRandom } from "../platform/random.ts";
import { realSecureDoor } from "../platform/secure.ts";
import { readSmallFile } from "../platform/small-file.ts";
import { type AcceptUser, UserDoor } from "../platform/user-door.ts";
import { findAccount, findGroup, findUser } from "../platform/users.ts";
import { realNotifier } from "../platform/webhook.ts";
import { runWorker } from "../platform/worker.ts";
import { watchConfigured } from "./configured-feeds.ts";
import { type DaemonLine, logLimits, prepareRuntime } from "./daemon-line.ts";
import { fail, messageOf } from "./fail.ts";
import { endWhenRemoved } from "./removal.ts";
import { socketUpkeep } from "./socket-upkeep.ts";
import { currentUser } from "./user.ts";

/** Exit code when another controller has the state folder: EX_TEMPFAIL of sysexits.h. */
const EXIT_LOCKED = 75;

/** Starts it, or ends the process with the reason. `exit` is called when it was told to end. */
export async function runController(program: string, line: DaemonLine, exit: () => void): Promise<Controller> {
  const { places, settings } = line;
  await takeStateFolder(program, places.home);
  prepareRuntime(program, places);
  makeLastingFolders(places.logFolder, 0o700);
  const log = fileLog(2, settings.logLevel, { daemon: "mgpuctld", pid: process.pid }, logLimits(settings));
  endWhenRemoved(__filename, places.controllerSocket, log);
  // One for all: the threads that hang are the same ones. A submission with very many programs asks for each at once.
  const files = createBound({ waitingMax: Number.POSITIVE_INFINITY });
  const ports = {
    clock: realClock(),
    disk: realDisk(),
    // Without its socket it is of no use, and jobs go on without it.
    net: realNet(socketUpkeep(places.controllerSocket, log, exit)),
    random: realRandom(),
    digest: realDigest(),
    log,
    mailer: realMailer(settings.mailProgram, log),
    notifier: realNotifier(readWebhookSecret(program, settings.webhookSecretFile), log),
    feedFiles: realFeedFiles(files),
    elastic: elasticPorts(),
    compact: (compaction: unknown) => runWorker(join(__dirname, "snapshot-worker.cjs"), compaction) as Promise<number>,
    exit,
    programFiles: realProgramFiles(files),
    people: { findUser, findGroup },
    outside: {
      door: realSecureDoor(),
      book: plainLog(logFileWriter(`${places.logFolder}/audit.log`, logLimits(settings)), "info", {}),
      hostAddress: () => readHost().address() || hostname(),
      findUser,
      owner: currentUser(),
      listen: settings.listen,
      ring: ringBell,
      addresses: ownAddresses,
    },
    ...(currentUser().uid === 0 ? { serveUsers: (accept: AcceptUser) => openDoor(places.runtime, log, accept) } : {}),
    reload() {
      const read = line.reload();
      if ("settings" in read) log.setLevel(read.settings.logLevel);
      return read;
    },
  };
  try {
    const controller = await startController(ports, {
      places,
      settings,
      pid: process.pid,
      user: currentUser(),
      version: VERSION,
    });
    const own = { files: settings.feedFiles, socket: places.controllerSocket, home: places.home, log };
    watchConfigured(own).catch((error) => log.warn("can't keep the list of feeds", { problem: messageOf(error) }));
    if (settings.metricsListen) await serveMetrics(settings.metricsListen, controller, log);
    return controller;
  } catch (error) {
    return fail(program, `can't start with state folder ${places.home}: ${messageOf(error)}`);
  }
}

/** What other batch systems are asked with, and what their machines need to know of this one. */
function elasticPorts(): ElasticPorts {
  const own = new Set([...ownAddresses(), hostname(), readHost().hostname, "localhost", "::1"]);
  return {
    programs: realBatchPrograms(process.env),
    bootId: readHost().bootId,
    binFolder: join(__dirname, "../bin"),
    nodeFolder: dirname(process.execPath),
    runtime: currentUser().uid === 0 ? "/run" : "",
    isHere: (address) => own.has(address) || /^127\./.test(address),
  };
}

/** Root's daemons are for all users; others can't pass a folder of root's own, and are told so by mgpu up. */
async function openDoor(runtime: string, log: Log, accept: AcceptUser): Promise<UserDoor> {
  const door = new UserDoor({ log, findAccount }, runtime, accept);
  await door.open();
  return door;
}

/** Jobs go on without it: what is in its way is in the log. */
async function serveMetrics(listen: { host: string; port: number }, controller: Controller, log: Log): Promise<void> {
  try {
    const { port } = await servePages(listen, controller.page);
    const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
    log.info("metrics are served", { url: `http://${host}:${port}/metrics` });
  } catch (error) {
    log.error("metrics are not served: metrics.listen can't be used", { ...listen, error: messageOf(error) });
  }
}

/** The first line of the file; empty without one. A secret that can't be read is no reason to send unsigned notices. */
function readWebhookSecret(program: string, file: string): string {
  if (file === "") return "";
  const read = readSmallFile(file);
  if ("problem" in read) return fail(program, `notifications.webhook_secret_file: ${file}: ${read.problem}`);
  return read.text.trim() || fail(program, `notifications.webhook_secret_file: ${file} is empty`);
}

async function takeStateFolder(program: string, home: string): Promise<void> {
  try {
    const lock = await takeLock(home, "controller");
    if (!lock) fail(program, `another controller works with state folder ${home}`, EXIT_LOCKED);
  } catch (error) {
    fail(program, `the state folder ${home} can't be used: ${messageOf(error)}; set MGPU_HOME to another one`);
  }
}
