/** The grammars of submission's options: what is printed is read back, and nothing is thrown at any text. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compressCounts, parseCounts } from "../../src/core/counts.ts";
import {
  formatCpuBind,
  formatExtraNodeInfo,
  parseCpuBind,
  parseExtraNodeInfo,
  parseHint,
} from "../../src/core/cpu-bind.ts";
import { formatDistribution, parseDistribution } from "../../src/core/distribution.ts";
import { formatGpuBind, formatNodeGpuIds, parseGpuBind, parseNodeGpuIds } from "../../src/core/gpu-bind.ts";
import {
  formatGpuWishes,
  formatGresWishes,
  formatTresWish,
  parseGpuWishes,
  parseGresWishes,
  parseTresWish,
} from "../../src/core/gres.ts";
import { formatLicenses, parseLicenses } from "../../src/core/licenses.ts";
import { formatMailTypes, MAIL_TYPES, parseMailTypes } from "../../src/core/mail-types.ts";
import { formatNodeCounts, parseNodeCounts } from "../../src/core/node-counts.ts";
import type { Parsed } from "../../src/core/parse.ts";
import { formatPropagate, parsePropagate, RLIMITS } from "../../src/core/rlimits.ts";

const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const ascending = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const positions = fc.uniqueArray(fc.nat(255), { minLength: 1, maxLength: 8 }).map(ascending);
const count = fc.integer({ min: 1, max: 99_999 });
const cpus = fc.constantFrom("block" as const, "cyclic" as const, "fcyclic" as const, null);

const type = fc.constantFrom(null, "a100", "v100", "1g.10gb", "H200");
const wishes = fc.uniqueArray(fc.record({ type, thousandths: fc.integer({ min: 1, max: 9_999_999 }) }), {
  selector: (wish) => wish.type,
});
const binds = fc
  .tuple(
    fc.boolean(),
    fc.oneof(
      fc.record({ kind: fc.constantFrom("none" as const, "closest" as const) }),
      fc.record({ kind: fc.constant("single" as const), tasksPerGpu: count }),
      fc.record({ kind: fc.constant("per_task" as const), gpusPerTask: count }),
      fc.record({ kind: fc.constant("map_gpu" as const), indices: fc.array(fc.nat(255), { minLength: 1 }) }),
      fc.record({ kind: fc.constant("mask_gpu" as const), masks: fc.array(positions, { minLength: 1 }) }),
    ),
  )
  .map(([verbose, bind]) => ({ verbose, ...bind }));
const nodeGpus = fc.uniqueArray(
  fc.record({ node: fc.integer({ min: 1, max: 99 }).map((at) => `n${at}`), indices: positions }),
  { selector: ({ node }) => node, minLength: 1 },
);
const licenses = fc.uniqueArray(fc.record({ name: fc.constantFrom("a", "b@db", "c-1.2"), count }), {
  selector: ({ name }) => name,
});
const bounds = nullable(
  fc.tuple(count, nullable(fc.nat(999))).map(([min, more]) => ({ min, max: more === null ? null : min + more })),
);
const cpuBinds = fc.oneof(
  fc.record({
    verbose: nullable(fc.boolean()),
    kind: fc.constantFrom("none" as const, "rank" as const, "cores" as const, "ldoms" as const),
    list: fc.constant<string[]>([]),
  }),
  fc.record({ verbose: fc.boolean(), kind: fc.constant(null), list: fc.constant<string[]>([]) }),
  fc.record({
    verbose: nullable(fc.boolean()),
    kind: fc.constantFrom("map_cpu" as const, "map_ldom" as const),
    list: fc.array(fc.nat(99_999).map(String), { minLength: 1 }),
  }),
  fc.record({
    verbose: nullable(fc.boolean()),
    kind: fc.constantFrom("mask_cpu" as const, "mask_ldom" as const),
    list: fc.array(
      fc.bigInt({ min: 1n, max: 2n ** 200n }).map((bits) => `0x${bits.toString(16)}`),
      { minLength: 1 },
    ),
  }),
);
const distributions = fc.oneof(
  fc.record({
    tasks: fc.constantFrom("block" as const, "cyclic" as const, "arbitrary" as const, null),
    sockets: cpus,
    cores: cpus,
    pack: nullable(fc.boolean()),
  }),
  fc.record({
    tasks: fc.record({ plane: count }),
    sockets: fc.constant(null),
    cores: fc.constant(null),
    pack: nullable(fc.boolean()),
  }),
);

function law<T>(values: fc.Arbitrary<T>, format: (value: T) => string, parse: (text: string) => Parsed<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(parse(format(value))).toEqual({ value });
    }),
  );
}

describe("what is printed is read back", () => {
  test("GPUs", () => {
    law(wishes, formatGresWishes, parseGresWishes);
    law(wishes, formatGpuWishes, parseGpuWishes);
    const tres = fc.record({ gpus: wishes, cpus: nullable(count), memoryMiB: nullable(fc.nat(1_000_000)) });
    law(tres, formatTresWish, parseTresWish);
  });
  test("bindings", () => {
    law(binds, formatGpuBind, parseGpuBind);
    law(nodeGpus, formatNodeGpuIds, parseNodeGpuIds);
    law(cpuBinds, formatCpuBind, parseCpuBind);
    law(distributions, formatDistribution, (text) => parseDistribution(text));
    law(fc.record({ sockets: bounds, cores: bounds, threads: bounds }), formatExtraNodeInfo, parseExtraNodeInfo);
  });
  test("lists", () => {
    law(licenses, formatLicenses, parseLicenses);
    law(fc.subarray([...MAIL_TYPES]), formatMailTypes, parseMailTypes);
    law(fc.subarray([...RLIMITS]), formatPropagate, parsePropagate);
    law(fc.array(fc.nat(3)), compressCounts, (text) => parseCounts(text));
  });
});

test("any text is read or refused, and what is read prints to the same", () => {
  const words = fc.constantFrom(
    ...["gpu", ":", "=", ",", "a100", "2", "0.5", "none", "gres/", "cpu", "mem", "4G", "*", "-", "verbose", "v"],
    ...["map_gpu", "mask_cpu", "0x3", "single", "node1", ";", "END", "ALL", "CORE", "block", "plane", "Pack", "(x2)"],
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 8 }).map((some) => some.join("")),
  );
  const stays = <T>(text: string, parse: (text: string) => Parsed<T>, format: (value: T) => string): void => {
    const parsed = parse(text);
    if ("problem" in parsed) expect(parsed.problem).not.toBe("");
    else expect(parse(format(parsed.value))).toEqual(parsed);
  };
  fc.assert(
    fc.property(texts, (text) => {
      stays(text, parseGresWishes, formatGresWishes);
      stays(text, parseGpuWishes, formatGpuWishes);
      stays(text, parseTresWish, formatTresWish);
      stays(text, parseGpuBind, formatGpuBind);
      stays(text, parseNodeGpuIds, formatNodeGpuIds);
      stays(text, parseCpuBind, formatCpuBind);
      stays(text, parseHint, (hint) => hint);
      stays(text, parseExtraNodeInfo, formatExtraNodeInfo);
      stays(text, parseDistribution, formatDistribution);
      stays(text, parseLicenses, formatLicenses);
      stays(text, parseMailTypes, formatMailTypes);
      stays(text, parsePropagate, formatPropagate);
      stays(text, parseNodeCounts, formatNodeCounts);
      stays(text, parseCounts, compressCounts);
    }),
    { numRuns: 1000 },
  );
});
