/** Elastic nodes, put together from what the machine gives. */

import type { Places } from "../../config/places.ts";
import type { Settings } from "../../config/settings.ts";
import type { BatchPrograms } from "../../platform/batch-programs.ts";
import type { Digest } from "../../platform/digest.ts";
import type { Disk } from "../../platform/disk.ts";
import { formatIdentity, formatInvitation } from "../../protocol/identity.ts";
import type { ControllerContext } from "../context.ts";
import type { Outside } from "../network/outside.ts";
import { ElasticCrew } from "./crew.ts";
import { SlurmManager } from "./slurm.ts";
import type { ScriptFacts } from "./slurm-text.ts";

/** What the machine gives for it. */
export interface ElasticPorts {
  readonly programs: BatchPrograms;
  readonly bootId: string;
  /** Where mgpu's launchers are, and the folder of the node program. */
  readonly binFolder: string;
  readonly nodeFolder: string;
  /** A folder of sockets for root's daemons, which users can pass; else empty. */
  readonly runtime: string;
  /** Whether a host name or an address is this machine. */
  isHere(address: string): boolean;
}

/** A machine joins within seconds of its token, or not at all. */
const TOKEN_MS = 10 * 60_000;

const MARK_DIGITS = 8;

/** Not started yet. @param secret of the state folder: what marks this cluster's jobs follows from it */
export function openElastic(
  context: ControllerContext,
  { programs, bootId, binFolder, nodeFolder, runtime, isHere }: ElasticPorts,
  { disk, digest }: { readonly disk: Disk; readonly digest: Digest },
  secret: string,
  outside: Outside | null,
): ElasticCrew {
  const { places, settings } = context;
  const folder = elasticFolder(places);
  const mark = digest.keyed(secret, "elastic").slice(0, MARK_DIGITS);
  const write = async (path: string, text: string): Promise<void> => {
    await disk.makeFolder(folder);
    await disk.replace(path, new TextEncoder().encode(text));
  };
  const remove = (path: string): Promise<void> => disk.remove(path);
  const facts = (): ScriptFacts => ({
    ...{ mark, clusterName: settings.clusterName, bootId, binFolder, nodeFolder, folder, runtime },
    controllerSocket: places.controllerSocket,
    variables: sharedSettings(settings),
  });
  return new ElasticCrew(context, {
    managers: { slurm: new SlurmManager({ programs, isHere, facts, write, remove }) },
    ...{ folder, write, remove },
    async invite() {
      const target = outside?.office.network.target ?? null;
      if (!outside || target === null) return null;
      const token = await outside.office.keys.makeToken(1, TOKEN_MS);
      return formatInvitation({ target, ...token });
    },
    async revoke(name) {
      const revoked = (await outside?.office.keys.revoke((key) => key.role === "node" && key.name === name)) ?? [];
      for (const { role: kind, generation } of revoked) {
        outside?.office.network.cut(formatIdentity({ kind, name, generation }));
      }
    },
  });
}

/** Scripts, tokens and output of allocations. */
export function elasticFolder({ home }: Pick<Places, "home">): string {
  return `${home}/elastic`;
}

/** What holds for the node daemons of allocations as for the controller. */
function sharedSettings({ fakeGpus, logLevel }: Settings): Record<string, string> {
  return { ...(fakeGpus === "" ? {} : { MGPU_FAKE_GPUS: fakeGpus }), MGPU_LOG_LEVEL: logLevel };
}
