/** Clusters as users write them, and changes of them. */

import { describe, expect, test } from "vitest";
import type { Node } from "../../../src/core/node.ts";
import { changeCluster, describeCluster, parseCluster, parseWhatIf, readNodes } from "../../../src/replay/cluster.ts";

const shown = (nodes: readonly Node[]) =>
  nodes.map(({ name, inventory: { gpus } }) => `${name} ${gpus.length} ${gpus[0]?.type ?? "-"}`);

describe("--cluster", () => {
  test("nodes x GPUs, with CPUs and types", () => {
    expect(shown(parseCluster("2x4,1x2:t4"))).toEqual(["n1 4 gpu", "n2 4 gpu", "n3 2 t4"]);
    expect(parseCluster("1x0x128")[0]?.inventory.cpus).toBe(128);
    expect(describeCluster(parseCluster("8x8"))).toBe("8 nodes, 64 GPUs");
    expect(describeCluster(parseCluster("1x0x128"))).toBe("1 node, 128 CPUs");
  });
  test.each(["", "8", "x8", "0x8", "8x0", "8x8x", "8x8:", "30000x1", "1x4000"])("%j is none", (text) => {
    expect(() => parseCluster(text)).toThrow("--cluster: no cluster is written");
  });
});

describe("--what-if", () => {
  const changed = (cluster: string, text: string) => shown(changeCluster(parseCluster(cluster), parseWhatIf(text)));
  test("more nodes, like those there are", () => {
    expect(changed("1x8:a100", "+2 nodes of 8")).toEqual(["n1 8 a100", "new1 8 a100", "new2 8 a100"]);
    expect(changed("1x8:a100", "+1 node")).toEqual(["n1 8 a100", "new1 8 a100"]);
    expect(changed("1x8", "+1 node of 4 t4")).toEqual(["n1 8 gpu", "new1 4 t4"]);
  });
  test("fewer nodes", () => {
    expect(changed("2x8,2x4", "-1 node of 4")).toEqual(["n1 8 gpu", "n2 8 gpu", "n3 4 gpu"]);
    expect(changed("2x8,2x4", "-1 node")).toEqual(["n1 8 gpu", "n3 4 gpu", "n4 4 gpu"]);
    expect(() => changed("2x8", "-2 nodes")).toThrow("not possible");
    expect(() => changed("2x8", "-1 node of 4")).toThrow("0 of 2 nodes are of 4 GPUs");
  });
  test.each(["2 nodes", "+0 nodes", "+2", "+2 cards", "+1 node of", "+1 node of 4 4"])("%j is none", (text) => {
    expect(() => parseWhatIf(text)).toThrow("--what-if: can't read");
  });
});

describe("tables of nodes", () => {
  test("plain, and openb's", () => {
    expect(shown(readNodes("name,gpus,type\na,4,A100\nb,0,\n", "f"))).toEqual(["a 4 a100", "b 0 -"]);
    const [node] = readNodes("sn,cpu_milli,memory_mib,gpu,model\nx,64000,262144,2,P100\n", "f");
    expect(node?.inventory).toMatchObject({ cpus: 64, memoryMiB: 262_144, features: ["P100"] });
  });
  test("wrong ones are told by line", () => {
    expect(() => readNodes("name,gpus\na,x\n", "f")).toThrow(
      'f, line 2: gpus: expected a number that is not negative, got "x"',
    );
    expect(() => readNodes("a,b\n", "f")).toThrow("f, line 1: no table of nodes begins so");
    expect(() => readNodes("name,gpus\n", "f")).toThrow("f: no node");
  });
});
