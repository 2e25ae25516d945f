import { test } from "vitest";
import { ALL_FAULTS } from "/work/main/src/sim/faults.ts";
import { runWorld } from "/work/main/src/sim/world.ts";
test("x", async () => { const [a,b]=process.env.SEEDS!.split("-").map(Number); let bad=0;
for (let seed=a!;seed<b!;seed++){ const r = await runWorld({seed,nodes:1+(seed%3),jobs:12+(seed%17),faults:{ durationMs: 15_000, everyMs: 300 + (seed % 5) * 300, kinds: ALL_FAULTS }}); if (r.problems.length) { bad++; console.log("BAD", seed, JSON.stringify(r.problems.slice(0,2))); } } console.log("bad", bad);}, 1200000);
