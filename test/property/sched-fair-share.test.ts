/** Fair share: where all always want more, what everybody used comes to their shares, with decay, whatever came before. */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { PolicyChange } from "../../src/core/policy/records.ts";
import { sharesAt } from "../../src/core/priority.ts";
import { EASY } from "../../src/sched/policy.ts";
import { must } from "../../src/util/assert.ts";
import { association, qos } from "../unit/support/policy.ts";
import { gpuRequest, inventory, spec, T0 } from "../unit/support/samples.ts";
import { QueueWorld } from "./support/queue-world.ts";

const HALF_LIFE_S = 3600;
const GPUS = 8;

/** Jobs of a user that wait at any time: nobody is ever out of work. */
const WAITING = 2;

/** An account with users; shares of each. */
const group = fc.record({
  shares: fc.integer({ min: 1, max: 4 }),
  users: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 }),
});

type Group = typeof group extends fc.Arbitrary<infer T> ? T : never;

interface Member {
  readonly name: string;
  readonly account: string;
  readonly id: number;
  readonly uid: number;
  /** Part of the whole cluster that is theirs. */
  readonly share: number;
}

function tree(groups: readonly Group[]): {
  readonly changes: readonly PolicyChange[];
  readonly members: readonly Member[];
} {
  const root = { name: "root", description: "", organization: "" };
  const changes: PolicyChange[] = [
    qos(1, "normal"),
    { put: "account", record: root },
    association(2, { account: "root", qos: ["normal"] }),
  ];
  const members: Member[] = [];
  const total = groups.reduce((sum, { shares }) => sum + shares, 0);
  let id = 3;
  for (const [at, { shares, users }] of groups.entries()) {
    const account = `g${at}`;
    changes.push({ put: "account", record: { name: account, description: "", organization: "" } });
    changes.push(association(id++, { account, parent: "root", shares }));
    const own = users.reduce((sum, one) => sum + one, 0);
    for (const [index, part] of users.entries()) {
      const name = `${account}u${index}`;
      changes.push({ put: "user", record: { name, defaultAccount: account, adminLevel: "None" } });
      changes.push(association(id, { account, user: name, shares: part }));
      members.push({ name, account, id, uid: 1000 + id, share: (shares / total) * (part / own) });
      id += 1;
    }
  }
  const config = {
    ...{ weightAge: 0, weightFairShare: 1_000_000, weightQos: 0, decayHalfLifeS: HALF_LIFE_S },
    billingWeights: { "gres/gpu": 1 },
  };
  return { changes: [...changes, { put: "config", record: config }], members };
}

/** A source of numbers from 0 to below 1. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

/** Plays until a time in seconds; answers what each has used since another time, in GPU seconds. */
function play(
  members: readonly Member[],
  changes: readonly PolicyChange[],
  seed: number,
  [fromS, untilS]: readonly [number, number],
) {
  const world = new QueueWorld(EASY);
  const random = randomNumbers(seed);
  world.run({ type: "node.register", node: "n1", inventory: inventory(GPUS, 64) });
  world.run({ type: "policy.change", version: 0, changes, byName: "root", isOwner: true });
  const used = new Map<string, number>();
  const endAt = new Map<number, number>();
  let requests = 0;
  const submit = ({ name, uid, account }: Member): void => {
    const wish = { request: gpuRequest(1 + Math.floor(random() * 2)), timeLimitS: 300 + Math.floor(random() * 300) };
    const user = { uid, gid: uid, name };
    world.run({
      type: "job.submit",
      requestId: `r${requests++}`,
      spec: spec({ ...wish, user, account, qos: "normal" }),
    });
  };
  // Until half of the time only the first ones work: what they used beyond their shares must fade.
  while (world.now < T0 + untilS * 1000) {
    const isAlone = world.now < T0 + (fromS / 2) * 1000;
    for (const member of isAlone ? members.slice(0, 1) : members) {
      const waiting = world.pending.filter(({ spec: { user } }) => user.name === member.name).length;
      for (let more = waiting; more < WAITING; more++) submit(member);
    }
    for (const { jobId } of world.pass().starts) {
      const limitS = must(world.state.jobs.get(jobId), "a job").spec.timeLimitS ?? 0;
      endAt.set(jobId, world.now + limitS * (500 + 500 * random()));
    }
    const next = Math.min(...world.running.map(({ id }) => endAt.get(id) ?? Number.POSITIVE_INFINITY));
    const seconds = (next - Math.max(world.now, T0 + fromS * 1000)) / 1000;
    for (const {
      spec: { user },
      allocation,
    } of seconds > 0 ? world.running : []) {
      used.set(user.name, (used.get(user.name) ?? 0) + seconds * (allocation[0]?.gpus.length ?? 0));
    }
    world.now = next;
    for (const job of world.running.filter(({ id }) => (endAt.get(id) ?? 0) <= next)) {
      world.end(job);
      world.try({ type: "job.purge", jobId: job.id });
    }
  }
  return { world, used };
}

test("usage comes to the shares, and the faded usage by which it is steered too", () => {
  fc.assert(
    fc.property(fc.array(group, { minLength: 2, maxLength: 3 }), fc.nat(1_000_000), (groups, seed) => {
      const { changes, members } = tree(groups);
      const { world, used } = play(members, changes, seed, [6 * HALF_LIFE_S, 18 * HALF_LIFE_S]);
      const total = [...used.values()].reduce((sum, one) => sum + one, 0);
      // Nothing lies idle for the sake of fairness.
      expect(total / (12 * HALF_LIFE_S * GPUS)).toBeGreaterThan(0.85);
      const shares = sharesAt(world.state, world.now);
      for (const { name, id, share } of members) {
        expect(Math.abs((used.get(name) ?? 0) / total - share), `${name}, share ${share}`).toBeLessThan(0.02);
        expect(Math.abs((shares.get(id)?.normUsage ?? 0) - share), `${name} at the end`).toBeLessThan(0.05);
      }
    }),
    { numRuns: 3 },
  );
}, 180_000);
