/**
 * What a machine keeps of the cluster that it joined: `join.json` in the state folder, mode 0600.
 *
 *   {"v": 1, "cluster": "lab", "target": "gpu0:7411", "node": "gpu1", "identity": "node/gpu1/1", "key": "..."}
 */

export interface Joined {
  /** The cluster's name. */
  readonly cluster: string;
  /** Where its controller is, `host:port`. */
  readonly target: string;
  /** What this machine is called there. */
  readonly node: string;
  readonly identity: string;
  readonly key: string;
  /** Variables that its node daemon was started with. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The file's path. */
export function joinFile({ home }: { readonly home: string }): string {
  return `${home}/join.json`;
}

/** The file's text. */
export function formatJoined(joined: Joined): string {
  return `${JSON.stringify({ v: 1, ...joined }, null, 1)}\n`;
}

/** What the file's text says; `null` if it is none of ours. */
export function parseJoined(text: string): Joined | null {
  try {
    const { cluster, target, node, identity, key, settings } = JSON.parse(text) as Partial<Joined>;
    const all = [cluster, target, node, identity, key];
    if (all.some((one) => typeof one !== "string" || one === "")) return null;
    return { cluster, target, node, identity, key, ...(settings ? { settings } : {}) } as Joined;
  } catch {
    return null;
  }
}
