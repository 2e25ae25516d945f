/** Daemons whose package was removed from the machine end, once nothing runs any more: nobody else would end them. */

import { existsSync } from "node:fs";
import { VERSION } from "../config/version.ts";
import { realClock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { realNet } from "../platform/net.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import { connectPeer } from "../rpc/connect.ts";
import { currentUser } from "./user.ts";

/** A package that is being replaced is away for some seconds. */
const LOOK_MS = 10_000;
const LOOKS_MISSING = 2;

const NO_LOG: Log = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Looks whether this program's file is still there. When it is gone, the controller at the socket is asked to end as
 * `mgpu down` asks: it refuses while jobs run, and is asked again.
 * @param program path of the file
 */
export function endWhenRemoved(program: string, socket: string, log: Log): void {
  let missing = 0;
  setInterval(() => {
    missing = existsSync(program) ? 0 : missing + 1;
    if (missing === LOOKS_MISSING)
      log.warn("mgpu was removed from this machine: ending with the last job", { program });
    if (missing >= LOOKS_MISSING) void askToEnd(socket);
  }, LOOK_MS).unref();
}

async function askToEnd(socket: string): Promise<void> {
  const hello = { role: "client" as const, protocol: { ...PROTOCOL }, version: VERSION, user: currentUser() };
  try {
    const { peer } = await connectPeer({ net: realNet(), clock: realClock(), log: NO_LOG }, { path: socket }, hello);
    await peer.call("controller.shutdown", { force: false }).finally(() => peer.close());
  } catch {
    // Jobs run; or it has ended.
  }
}
