/**
 * Programs made for Slurm, on mgpu under Slurm's names: a cluster of several node daemons on this machine, and `srun`,
 * `sbatch` and so on ahead of everything else on PATH.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { type ClusterOptions, type Running, TestCluster } from "../../integration/support/cluster.ts";

export interface NodeShape {
  readonly name: string;
  readonly cpus: number;
  readonly gpus: number;
}

export class SlurmNames {
  readonly cluster: TestCluster;
  readonly names: string;

  constructor(options: ClusterOptions = {}) {
    this.cluster = new TestCluster(options);
    this.names = join(this.cluster.folder, "names");
  }

  /** Starts controller and nodes, and makes the links. */
  async start(nodes: readonly NodeShape[]): Promise<readonly Running[]> {
    await this.cluster.ok("mgpu", ["shims", this.names]);
    const daemons = await this.cluster.startNodes(nodes);
    return daemons;
  }

  /** Variables with which a program finds the links first. */
  get env(): Record<string, string> {
    return { PATH: `${this.names}:${process.env.PATH}` };
  }
}

/**
 * Tests that need a program of Debian's. CI installs it, and fails without; on a developer's machine they are
 * reported as skipped.
 */
export function describeWith(program: string, path: string, body: () => void): void {
  const isThere = existsSync(path);
  if (isThere || process.env.CI !== "true") describe.skipIf(!isThere)(program, body);
  else test(`${program} is installed`, () => Promise.reject(new Error(`${path} is missing: CI must install it`)));
}
