/** Layouts: every task once, no node above its capacity, and what each distribution promises. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { layoutTasks, type TaskDistribution } from "../../src/core/layout.ts";

const capacities = fc.array(fc.nat(6), { minLength: 1, maxLength: 8 });
const distribution = fc.oneof(
  fc.constantFrom<TaskDistribution>("block", "cyclic"),
  fc.record({ plane: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ arbitrary: fc.array(fc.nat(7), { maxLength: 30 }) }),
);
const options = fc.record({ pack: fc.boolean(), overcommit: fc.boolean() });
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

test("every task once, ascending, within the capacities", () => {
  fc.assert(
    fc.property(capacities, fc.nat(40), distribution, options, (room, tasks, how, choice) => {
      const layout = layoutTasks(room, tasks, how, choice);
      const isListed = typeof how === "object" && "arbitrary" in how;
      if (layout === null) {
        expect(isListed || (tasks > sum(room) && !choice.overcommit)).toBe(true);
        return;
      }
      expect(layout).toHaveLength(room.length);
      const all = layout.flat().sort((a, b) => a - b);
      expect(all).toEqual(Array.from({ length: tasks }, (_, task) => task));
      for (const [node, own] of layout.entries()) {
        expect([...own]).toEqual([...own].sort((a, b) => a - b));
        const isFull = !choice.overcommit || (!isListed && tasks <= sum(room));
        if (isFull) expect(own.length).toBeLessThanOrEqual(room[node] ?? 0);
      }
    }),
  );
});

test("block is contiguous, packed block fills, cyclic is even", () => {
  fc.assert(
    fc.property(capacities, fc.nat(40), (room, wanted) => {
      const tasks = Math.min(wanted, sum(room));
      const packed = layoutTasks(room, tasks, "block") ?? [];
      const spread = layoutTasks(room, tasks, "block", { pack: false }) ?? [];
      const cyclic = layoutTasks(room, tasks, "cyclic") ?? [];
      for (const layout of [packed, spread])
        expect(layout.flat()).toEqual(Array.from({ length: tasks }, (_, at) => at));
      const lastUsed = packed.findLastIndex((own) => own.length > 0);
      for (let node = 0; node < lastUsed; node++) expect(packed[node]).toHaveLength(room[node] ?? 0);
      expect(spread.map((own) => own.length)).toEqual(cyclic.map((own) => own.length));
      const most = Math.max(...cyclic.map((own) => own.length));
      for (const [node, own] of cyclic.entries()) {
        if (own.length < (room[node] ?? 0)) expect(most - own.length).toBeLessThanOrEqual(1);
      }
      expect(layoutTasks(room, tasks, { plane: 1 })).toEqual(cyclic);
    }),
  );
});
