/** A Tab with 200 job ids to choose from, the names of the cluster being fresh: in bash itself, and as zsh and fish ask. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Meter } from "../lib/meter.mjs";
import { row } from "../lib/report.mjs";
import { interleave } from "../lib/rounds.mjs";
import { median, minimum, spread } from "../lib/statistics.mjs";

export const about = "a Tab with 200 job ids, in bash and as zsh and fish ask; against bash -c true (bar: 10 ms)";

const SCRIPT = join(import.meta.dirname, "../../../completions/mgpu.bash");
const IDS = 200;
const NOTHING = "bash -c true";
const PROGRAM = "mgpu-scancel 1, asked by zsh or fish";
const IN_BASH = "mgpu-scancel 1, in bash";

/** Tabs pressed in one shell; the time of one is what is told. */
const TABS = 50;
const PRESS = `source ${SCRIPT}
for ((at = 0; at < ${TABS}; at++)); do
  COMP_LINE='mgpu-scancel 1' COMP_POINT=14 COMP_WORDS=(mgpu-scancel 1) COMP_CWORD=1 COMP_TYPE=9
  _mgpu_complete mgpu-scancel 1 mgpu-scancel
done
((\${#COMPREPLY[@]} == ${IDS}))`;

/** @param {{quick: boolean}} options */
export async function run({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), "mgpu-bench-"));
  const meter = new Meter(folder);
  const env = { PATH: process.env.PATH ?? "", HOME: folder };
  mkdirSync(join(folder, ".cache/mgpu/completion"), { recursive: true });
  const names = Array.from({ length: IDS }, (_, at) => `targets\t${1000 + at}\tPENDING job${at} (ada)`);
  const stamp = Math.floor(Date.now() / 1000) + 3600;
  writeFileSync(join(folder, ".cache/mgpu/completion/default"), `${stamp}\n${names.join("\n")}\n`);
  const measure = (name, argv) => ({ name, run: () => meter.run({ argv: ["/bin/bash", ...argv], env }) });
  try {
    const samples = await interleave(
      [
        measure(NOTHING, ["-c", "true"]),
        measure(PROGRAM, [SCRIPT, "--candidates", "mgpu-scancel", "1"]),
        measure(IN_BASH, ["-c", PRESS]),
      ],
      quick ? { rounds: 15, budgetMs: 10_000 } : { rounds: 40, budgetMs: 30_000 },
    );
    return [PROGRAM, IN_BASH].flatMap((name) => rowsOf(samples, name, name === IN_BASH ? TABS : 1));
  } finally {
    meter.close();
    rmSync(folder, { recursive: true });
  }
}

function rowsOf(samples, name, tabs) {
  const ours = samples.get(name).map(({ wallMs }) => wallMs / tabs);
  const reference = samples.get(NOTHING).map(({ wallMs }) => wallMs);
  const base = { bench: "completion", case: name, unit: "ms", samples: ours.length, referenceName: NOTHING };
  return [
    row({ ...base, metric: "wall median", ours: median(ours), reference: median(reference), spread: spread(ours) }),
    row({ ...base, metric: "wall min", ours: minimum(ours), reference: minimum(reference) }),
  ];
}
