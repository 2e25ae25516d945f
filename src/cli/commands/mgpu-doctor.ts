/** mgpu doctor: looks at this machine, the way to the controller, and all nodes, and says what to do. */

import type { Command } from "../context.ts";
import { refuseWords } from "../usage.ts";

export const command: Command = {
  name: "mgpu doctor",
  summary: "Look for what is wrong with this machine, the way to the controller and the nodes, and say what to do",
  synopsis: "[OPTIONS...] [HOST[:PORT]]",
  options: [{ long: "json", argument: "none", help: "print JSON" }],
  operands: "permute",
  examples: ["mgpu doctor", "mgpu doctor gpu0", "mgpu doctor gpu0:7411", "mgpu doctor --json"],
  async run(parsed, context) {
    const [host, ...more] = parsed.operands;
    refuseWords(more, "one HOST or HOST:PORT, or none for the usual controller");
    return (await import("../doctor/doctor.ts")).examineAll(context, host ?? null, parsed.values.has("json"));
  },
};
