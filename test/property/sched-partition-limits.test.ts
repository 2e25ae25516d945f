/** Limits of partitions: whatever happens, no partition's jobs have more than it allows, and who waits for that is told so. */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { ResourceRequest } from "../../src/core/resources.ts";
import { EASY } from "../../src/sched/policy.ts";
import { gpus } from "../unit/sched/samples.ts";
import { inventory, request, spec } from "../unit/support/samples.ts";
import { QueueWorld } from "./support/queue-world.ts";

const NODES = ["n1", "n2", "n3"];
const NARROW_NODES = ["n2", "n3"];

const wish: fc.Arbitrary<Partial<ResourceRequest>> = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map((tasks) => ({ tasks })),
  fc.integer({ min: 1, max: 3 }).map((count) => ({ nodes: { min: count, max: count }, tasks: count, cpusPerTask: 3 })),
  fc.integer({ min: 1, max: 4 }).map((count) => ({ ...gpus("job", count), tasks: 1 })),
);

const act = fc.record({
  ...{ kind: fc.constantFrom("submit", "submit", "end", "widen"), pick: fc.nat(1000), wish },
  ...{ partition: fc.constantFrom("main", "narrow", "narrow"), limitS: fc.constantFrom(30, 60, 600, null) },
});

const rules = fc.record({
  maxCpusPerNode: fc.constantFrom(0, 3, 5),
  maxNodes: fc.constantFrom(0, 1, 2),
  maxTimeS: fc.constantFrom(60, 3600),
  reservations: fc.constantFrom(1, 3),
});

test("no partition's jobs have more than it allows", () => {
  let [started, waited] = [0, 0];
  const everyAct = fc.array(act, { minLength: 5, maxLength: 30, size: "max" });
  fc.assert(
    fc.property(rules, everyAct, ({ maxCpusPerNode, maxNodes, maxTimeS, reservations }, acts) => {
      const world = new QueueWorld({ ...EASY, reservations });
      for (const node of NODES) world.run({ type: "node.register", node, inventory: inventory() });
      const changes = { nodes: NARROW_NODES, maxCpusPerNode, maxNodes, maxTimeS };
      world.run({ type: "partition.create", name: "narrow", changes });
      for (const one of acts) {
        world.now += 1000;
        const own = { request: request(one.wish), timeLimitS: one.limitS, partition: one.partition, retries: 0 };
        const { seq } = world.state;
        if (one.kind === "submit") world.try({ type: "job.submit", requestId: `r${seq}`, spec: spec(own) });
        const ended = world.running[one.pick % Math.max(1, world.running.length)];
        if (one.kind === "end" && ended) world.end(ended);
        // A limit may change while jobs wait: those that it stops must not start.
        if (one.kind === "widen") {
          const most = one.pick % 3;
          world.run({ type: "partition.update", name: "narrow", changes: { maxNodes: most } });
        }
        const now = world.state.partitions.get("narrow");
        const plan = world.pass();
        const starts = plan.starts.map(({ jobId }) => jobId);
        started += starts.length;
        const held = new Map<string, number>();
        for (const job of world.running) {
          if (job.spec.partition !== "narrow") continue;
          for (const { node, cpus } of job.allocation) {
            expect(NARROW_NODES).toContain(node);
            held.set(node, (held.get(node) ?? 0) + cpus);
          }
          expect(job.limitS > 0 && job.limitS <= maxTimeS).toBe(true);
          if (starts.includes(job.id) && now?.maxNodes) expect(job.allocation.length).toBeLessThanOrEqual(now.maxNodes);
        }
        if (maxCpusPerNode > 0) for (const cpus of held.values()) expect(cpus).toBeLessThanOrEqual(maxCpusPerNode);
        for (const job of world.pending) {
          const { word } = world.reasonOf(job, plan);
          expect(word).not.toBe("");
          if (word !== "PartitionNodeLimit") continue;
          waited += 1;
          const least = job.spec.request.nodes?.min ?? 1;
          expect(now?.maxNodes !== 0 && least > (now?.maxNodes ?? 0)).toBe(true);
        }
      }
    }),
    { numRuns: 200 },
  );
  expect([started, waited].every((count) => count > 50)).toBe(true);
});
