/** The end of `mgpu forward` on a job's node: connects to a port there. Not for people. */

import { errnoText } from "../../util/errno.ts";
import { Tunnel } from "../attach/tunnel.ts";
import { type Command, UserError } from "../context.ts";

export const command: Command = {
  name: "mgpu forward-end",
  summary: "What mgpu forward starts on the job's node",
  synopsis: "PORT",
  options: [],
  operands: "permute",
  examples: [],
  async run({ operands: [port = ""] }, context) {
    if (!/^\d{1,5}$/.test(port)) throw new UserError("mgpu forward starts this program; nobody else needs to");
    const { stdio, session } = context;
    const tcp = await context.tcp();
    let saidAtMs = Number.NEGATIVE_INFINITY;
    const failed = (code: string): void => {
      // A browser tries again and again.
      if (context.clock.monotonic() - saidAtMs < SAY_EVERY_MS) return;
      saidAtMs = context.clock.monotonic();
      stdio.err(`mgpu forward: port ${port} on ${context.hostname}: ${errnoText({ code })}\n`);
    };
    const tunnel = new Tunnel(
      (frame) => stdio.out(frame),
      () => tcp.connect(Number(port), failed),
    );
    await session.input.read(async (chunk) => tunnel.receive(chunk));
    tunnel.close();
    return 0;
  },
};

/** Refusals in a row are one. */
const SAY_EVERY_MS = 5000;
