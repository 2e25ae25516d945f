/**
 * A TCP relay that hands on all bytes late, in both directions: `node relay.mjs PORT HOST:PORT DELAY_MS`. It prints one
 * line when it listens. The lab runs it on a machine of its own, since this kernel has no netem.
 */

import { connect, createServer } from "node:net";

const [port, target, delay] = process.argv.slice(2);
const [host, hostPort] = target.split(":");
const delayMs = Number(delay);

/** What arrived is written `delayMs` later, in order: timers of equal length fire in the order in which they were set. */
function carry(from, to) {
  const later = (deed) => setTimeout(() => to.destroyed || deed(), delayMs);
  from.on("data", (chunk) => later(() => to.write(chunk)));
  from.once("end", () => later(() => to.end()));
  from.once("close", () => setTimeout(() => to.destroy(), delayMs + 1000));
  from.on("error", () => later(() => to.destroy()));
}

createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const far = connect({ host, port: Number(hostPort), allowHalfOpen: true, noDelay: true });
  carry(near, far);
  carry(far, near);
}).listen(Number(port), () => process.stdout.write("listening\n"));
