/** Runs a command against the fixed cluster. */

import type { Command } from "../../src/cli/context.ts";
import { runCommand } from "../../src/cli/run.ts";
import { type FakeOptions, fakeContext } from "../unit/cli/fake-context.ts";
import { clusterPeer } from "./cluster.ts";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Words as typed after the program's name. */
export async function runOn(command: Command, argv: readonly string[], options: FakeOptions = {}): Promise<Outcome> {
  const controller = options.controller ?? clusterPeer();
  const fake = fakeContext({ program: `mgpu-${command.name}`, ...options, controller });
  const code = await runCommand(command, argv, fake.context);
  return { code, out: fake.out(), err: fake.err() };
}
