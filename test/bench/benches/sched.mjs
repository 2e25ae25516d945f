/** The scheduler's decisions, measured on public traces against published results. Each part is a file of its own. */

import * as placement from "./placement-openb.mjs";
import * as muri from "./queue-muri.mjs";
import * as swf from "./queue-swf.mjs";
import * as scale from "./sched-scale.mjs";

const PARTS = [placement, muri, swf, scale];

export const about = `the scheduler on public traces: ${PARTS.map((part) => part.about).join("; ")}`;

/** @param {{quick: boolean, note: (text: string) => void}} options */
export async function run(options) {
  const rows = [];
  for (const part of PARTS) rows.push(...(await part.run(options)));
  return rows;
}
