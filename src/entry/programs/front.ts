/**
 * A front: runs short commands of one user for their launchers, which then need no Node of their own
 * (src/decisions/0029-front.md). Started by commands that come in numbers (../front/use.ts); ends when none come any more.
 */

import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command as sbatch } from "../../cli/commands/sbatch.ts";
import { command as scancel } from "../../cli/commands/scancel.ts";
import { command as sinfo } from "../../cli/commands/sinfo.ts";
import { command as squeue } from "../../cli/commands/squeue.ts";
import { command as srun } from "../../cli/commands/srun.ts";
import { placesFrom } from "../../config/places.ts";
import { makeFolders } from "../../platform/folders.ts";
import { type FrontDoor, openFrontDoor } from "../../platform/front-door.ts";
import { takeLock } from "../../platform/lock.ts";
import { settleEnvironment } from "../environment.ts";
import { createFront, type Front } from "../front/serve.ts";
import { frontPlaces } from "../front/use.ts";

/** Nobody called for so long: the memory is of more use elsewhere. */
const IDLE_MS = 60_000;

const LOOK_MS = 1000;

/** Time for those who called while the door was being shut. */
const LEAVE_MS = 500;

const COMMANDS = Object.fromEntries([sbatch, squeue, scancel, sinfo, srun].map((one) => [`mgpu-${one.name}`, one]));

void main();

async function main(): Promise<void> {
  const { home } = placesFrom(settleEnvironment(), process.getuid?.() ?? 0);
  const { folder, pidFile } = frontPlaces(home);
  makeFolders(home, 0o700);
  const lock = await takeLock(home, "front");
  if (lock === null) return;
  const front = createFront(COMMANDS, join(__dirname, "../bin"));
  const program = identityOf(__filename);
  let calledAt = performance.now();
  const door = await openFrontDoor(folder, (call) => {
    calledAt = performance.now();
    if (identityOf(__filename) === program) void front.serve(call);
    else call.answer("n");
  });
  writeFileSync(pidFile, String(process.pid), { mode: 0o600 });
  const leave = (): void => {
    // The number may soon be another process's.
    rmSync(pidFile, { force: true });
    void shut(front, door);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, leave);
  process.on("SIGHUP", () => {});
  setInterval(() => {
    const isIdle = front.underWay === 0 && performance.now() - calledAt > IDLE_MS;
    if (isIdle || !door.isThere() || identityOf(__filename) !== program) leave();
  }, LOOK_MS);
}

/** Lets those finish whose commands are under way. */
async function shut(front: Front, door: FrontDoor): Promise<void> {
  door.shut();
  do await new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
  while (front.underWay > 0);
  door.close();
  process.exit(0);
}

/** Changes when mgpu is built or installed anew. */
function identityOf(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false });
  return `${info?.dev}:${info?.ino}`;
}
