import { expect, test } from "vitest";
import { createAbsences } from "../../../src/controller/absences.ts";
import { createErrand } from "../../../src/controller/errand.ts";
import type { Loop } from "../../../src/controller/loop.ts";
import { createOwners } from "../../../src/controller/owners.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { createSimTime } from "../../../src/sim/time.ts";
import { createByteCache } from "../../../src/util/byte-cache.ts";

function timeline() {
  const time = createSimTime(0);
  const clock = time.clockFor(() => true);
  const to = async (ms: number): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    let isThere = false;
    clock.after(ms - time.now, () => {
      isThere = true;
    });
    while (!isThere && time.advance()) await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, to };
}

test("a timer's command that the disk refused comes again until it is taken; a denied one does not", async () => {
  const { clock, to } = timeline();
  const answers = [
    new RpcError("STORAGE", "full"),
    new RpcError("STORAGE", "full"),
    null,
    new RpcError("INTERNAL", ""),
  ];
  let tries = 0;
  const execute = async () => {
    const answer = answers[tries++];
    if (answer) throw answer;
    return { kind: "ignore", why: "" };
  };
  const errand = createErrand(clock, silentLog(), () => ({ execute }) as unknown as Loop);
  const command = { type: "timer.fire", timer: { kind: "limit", jobId: 1, attempt: 1 } } as const;
  errand(command);
  await to(10_000);
  expect(tries).toBe(3);
  errand(command);
  await to(20_000);
  expect(tries).toBe(4);
});

test("an absence counts from its own beginning", async () => {
  const { clock, to } = timeline();
  const gone: string[] = [];
  const absences = createAbsences<string>(
    clock,
    () => 60_000,
    (name) => gone.push(name),
  );
  absences.begin("n1");
  await to(59_000);
  absences.end("n1");
  absences.begin("n1");
  await to(61_000);
  expect(gone).toEqual([]);
  await to(119_500);
  expect(gone).toEqual(["n1"]);
});

test("an srun that comes back in time keeps its job, however often", async () => {
  const { clock, to } = timeline();
  const abandoned: string[] = [];
  const owners = createOwners(clock, 60_000, (owned) => abandoned.push(owned));
  owners.expect("7");
  await to(50_000);
  const release = owners.claim("7");
  await to(59_900);
  release();
  await to(60_500);
  const again = owners.claim("7");
  await to(200_000);
  expect(abandoned).toEqual([]);
  again();
  await to(259_000);
  expect(abandoned).toEqual([]);
  await to(261_000);
  expect(abandoned).toEqual(["7"]);
});

test("a byte cache is bounded by bytes and keeps copies", () => {
  const cache = createByteCache(10, 6);
  const frame = new Uint8Array([1, 2, 3, 4, 5, 6, 7]);
  cache.put("a", frame.subarray(0, 4));
  frame[0] = 9;
  expect(cache.get("a")).toEqual(new Uint8Array([1, 2, 3, 4]));
  expect(cache.get("a")?.buffer.byteLength).toBe(4);
  cache.put("large", frame);
  expect(cache.has("large")).toBe(false);
  cache.put("b", frame.subarray(0, 6));
  expect([cache.has("a"), cache.has("b")]).toEqual([true, true]);
  cache.put("c", frame.subarray(0, 1));
  expect([cache.has("a"), cache.has("b"), cache.has("c")]).toEqual([false, true, true]);
});
