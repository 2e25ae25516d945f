/** A license as scontrol prints it: the text of Slurm 22.05, the JSON of 23.11. */

import type { LicenseRow } from "../protocol/procedures.ts";

/** Its lines; unlike other records, not followed by an empty one. */
export function licenseText({ name, total, used }: LicenseRow, oneLine: boolean): string {
  const counts = `Total=${total} Used=${used} Free=${freeOf(total, used)} Reserved=0 Remote=no`;
  return `LicenseName=${name}${oneLine ? " " : "\n    "}${counts}\n`;
}

/** The same for JSON. */
export function licenseJson({ name, total, used }: LicenseRow): Record<string, unknown> {
  const counts = { Total: total, Used: used, Free: freeOf(total, used) };
  return { LicenseName: name, ...counts, Remote: false, Reserved: 0, LastConsumed: 0, LastDeficit: 0, LastUpdate: 0 };
}

/** Jobs may hold more than there are, once the settings name fewer than before. */
function freeOf(total: number, used: number): number {
  return Math.max(0, total - used);
}
