/** Attempts to connect that end after a time of the user's (--connection-timeout). */

import { type Clock, sleep } from "../../platform/clock.ts";
import type { Connected } from "../../rpc/types.ts";
import { type CommandContext, UserError } from "../context.ts";

/** The same context, whose connections are given up after so many seconds; without such a number itself. */
export function withConnectionTimeout(context: CommandContext, seconds: number | undefined): CommandContext {
  if (seconds === undefined) return context;
  const { session, clock } = context;
  return {
    ...context,
    connect: (options) => inTime(clock, seconds, context.connect(options)),
    session: { ...session, connectHolder: (point) => inTime(clock, seconds, session.connectHolder(point)) },
  };
}

async function inTime(clock: Clock, seconds: number, connecting: Promise<Connected>): Promise<Connected> {
  const first = await Promise.race([connecting, sleep(clock, seconds * 1000)]);
  if (first) return first;
  // One that comes after all has no use.
  connecting.then(
    ({ peer }) => peer.close(),
    () => {},
  );
  throw new UserError(`no connection within ${seconds} s`, "--connection-timeout gives it longer");
}
