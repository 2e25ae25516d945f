/** Feeds: lines that a client has read, and files that are watched here. */

import { RpcError } from "../../protocol/errors.ts";
import type { Hello } from "../../protocol/procedures.ts";
import type { Handlers, UnaryHandler } from "../../rpc/types.ts";
import { errnoText } from "../../util/errno.ts";
import { type ControllerContext, executeOrThrow } from "../context.ts";
import { queueLines } from "../feeds/queue-lines.ts";
import type { FeedWatch } from "../feeds/watch.ts";
import { actingUid, manages } from "../network/access.ts";
import { storeEnvironment } from "../stored-inputs.ts";
import { refuseAtEnd } from "./submit.ts";

export type FeedHandlers = Pick<Handlers<"controller">, "feed.submit" | "feed.watch" | "feed.list" | "feed.stop">;

/** All handlers of feeds. @param watch `null` where no file can be watched */
export function feedHandlers(
  context: ControllerContext,
  digest: (text: string) => string,
  watch: FeedWatch | null,
): FeedHandlers {
  return {
    "feed.submit": submitHandler(context, digest),
    "feed.watch": watchHandler(context, watch),
    "feed.list": listHandler(context),
    "feed.stop": async ({ feedId }, { hello }) => {
      await executeOrThrow(context, { type: "feed.drop", feedId, byUid: actingUid(hello) });
      return {};
    },
  };
}

function submitHandler(context: ControllerContext, digest: (text: string) => string): UnaryHandler<"feed.submit"> {
  return async ({ requestId, path, job: template, environment, lines, linesInAll = 0, again: isAgain }, { hello }) => {
    refuseAtEnd(context);
    const environmentDigest = await storeEnvironment(context, environment);
    // Two machines may have files of the same name.
    const source = hello.caller ? `${template.submitHost}:${path}` : path;
    const all = Math.max(linesInAll, lines.length);
    const order = { user: hello.user, source, template, environmentDigest, lines, linesInAll: all, isAgain, requestId };
    const { jobIds, same, refused, models } = await queueLines(context, digest, order);
    const facts = { path: source, user: hello.user.name, queued: jobIds.length, same, refused: refused.length, models };
    context.log.info("a feed was queued", facts);
    return { jobIds: [...jobIds], same, problems: [...refused], models: [...models] };
  };
}

function watchHandler(context: ControllerContext, watcher: FeedWatch | null): UnaryHandler<"feed.watch"> {
  return async ({ requestId, path, job: template, environment, again: isAgain }, { hello }) => {
    refuseAtEnd(context);
    if (hello.caller || !watcher) throw new RpcError("NOT_HERE", whyNotHere(hello));
    const environmentDigest = await storeEnvironment(context, environment);
    const { user } = hello;
    const find = () =>
      [...context.loop.state.feeds.values()].find((one) => one.path === path && one.user.uid === user.uid);
    const before = find();
    await executeOrThrow(context, { type: "feed.put", feed: { user, path, template, environmentDigest } });
    const feed = find();
    if (!feed) throw new RpcError("INTERNAL", "the feed is gone");
    try {
      const report = await watcher.readNow(feed.id, { isAgain, requestId });
      const { jobIds, same, problems, models } = report;
      return { feedId: feed.id, jobIds: [...jobIds], same, problems: [...problems], models: [...models] };
    } catch (error) {
      if (error instanceof RpcError) throw error;
      // A file that can't be read at all is a mistake, and not one to be watched for; one that was watched already may be
      // away for a moment.
      const isNew = before?.id !== feed.id;
      if (isNew) await context.loop.execute({ type: "feed.drop", feedId: feed.id, byUid: 0 });
      const after = isNew ? "" : `; it is watched as feed ${feed.id} all the same`;
      throw new RpcError("UNREADABLE", `${path}: ${errnoText(error)}${after}`);
    }
  };
}

/** Root reads a user's file with the first group only, and at the cost of a process for each look at a script. */
function whyNotHere({ caller }: Hello): string {
  return caller?.isHere
    ? "root's daemons do not watch files of users"
    : "the controller is on another machine and does not see this file";
}

function listHandler({ loop, clock, identity }: ControllerContext): UnaryHandler<"feed.list"> {
  return (_params, { hello }) => {
    const isMine = ({ user }: { readonly user: { readonly uid: number } }): boolean => user.uid === hello.user.uid;
    const seesAll = manages(hello, identity.user);
    const seen = [...loop.state.feeds.values()].filter((feed) => seesAll || isMine(feed));
    return {
      now: clock.now(),
      feeds: seen.map(({ id, user, path, since, queued, trouble, reading }) => ({
        ...{ id, user: user.name, path, since, queued, trouble },
        readAt: reading?.at ?? null,
        jobs: reading?.jobs ?? 0,
        problems: [...(reading?.problems ?? [])],
        problemCount: reading?.problemCount ?? 0,
      })),
    };
  };
}
