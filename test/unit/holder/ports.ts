/** The machine's own ports, in a scope of their own. Without vitest, so that a test can run them in another program. */

import { resolve } from "node:path";
import type { HolderPorts } from "../../../src/node/holder/holder.ts";
import { realClock } from "../../../src/platform/clock.ts";
import type { Log } from "../../../src/platform/log.ts";
import { readGroupUse } from "../../../src/platform/memory-groups.ts";
import { realProcesses } from "../../../src/platform/process.ts";
import { realProcessTable } from "../../../src/platform/proctable.ts";
import { realPtys } from "../../../src/platform/pty.ts";
import { realRandom } from "../../../src/platform/random.ts";
import { realScreen } from "../../../src/platform/screen.ts";

/** node-pty's prebuilt module, from the repository's root, where tests run. */
export const PTY_MODULE = resolve(`node_modules/node-pty/prebuilds/linux-${process.arch}/pty.node`);

const ignore = (): void => {};
const log: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** @param scope names this test's processes apart from any other's */
export function realPorts(scope: string, isEager = false): HolderPorts {
  const ptys = realPtys(PTY_MODULE);
  return {
    clock: realClock(),
    log,
    random: realRandom(),
    processes: realProcesses({ hiddenDescriptors: () => ptys.descriptors, isEager }),
    table: realProcessTable({ scope, monotonic: () => performance.now() }),
    ptys,
    openScreen: realScreen,
    openFiles: null,
    groupUse: readGroupUse,
    utcOffset: () => 0,
  };
}
