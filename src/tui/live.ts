/** The controller as the screen's source: its stream of changes, and calls for all else. Lost contacts are mended. */

import { sleep } from "../platform/clock.ts";
import type { Peer } from "../rpc/types.ts";
import { createFollower } from "./follow.ts";
import { act } from "./live-deeds.ts";
import { detailText, pastRows } from "./live-records.ts";
import type { Message } from "./model.ts";
import type { Source, TuiPorts } from "./ports.ts";
import { FIELDS, toRow } from "./rows.ts";
import { sentence } from "./sentence.ts";

/** Between two tries to reach a controller that is gone. */
const RETRY_MS = 1000;

/** The controller that `connect` finds. */
export function createLiveSource(ports: TuiPorts): Source {
  const { clock } = ports;
  let peer: Peer | null = null;
  let isClosed = false;
  let tell: (message: Message) => void = () => {};
  const current = (): Peer => {
    if (peer === null) throw new Error("there is no contact with the controller");
    return peer;
  };
  const follower = createFollower(clock, current, (message) => tell(message));

  /** Both streams go on until the contact is lost. */
  const watch = async (): Promise<void> => {
    const connected = current();
    const jobs = connected.stream("jobs.watch", { fields: [...FIELDS] }, ({ rows, gone, isReset, isPartial, now }) => {
      tell({ type: "jobs", isReset, isPartial, rows: rows.map(toRow), gone, nowMs: now });
    });
    const nodes = connected.stream("nodes.watch", {}, (item) => tell({ type: "nodes", ...item }));
    await Promise.race([jobs, nodes]).finally(() => connected.close());
  };

  /** Until it is closed; a controller that ends may come back. */
  const keepWatching = async (): Promise<void> => {
    while (!isClosed) {
      const problem = await watch().then(
        () => "the controller has ended",
        (error: unknown) => sentence(error),
      );
      peer?.close();
      peer = null;
      while (!isClosed && peer === null) {
        tell({ type: "trouble", text: `no contact, trying again: ${problem}` });
        await sleep(clock, RETRY_MS);
        peer = await ports.connect().then(
          (connected) => connected.peer,
          () => null,
        );
      }
    }
  };

  return {
    async open(told) {
      tell = told;
      peer = (await ports.connect()).peer;
      void keepWatching();
    },
    detail: async (jobId) => detailText(current(), jobId, (atMs) => ports.utcOffsetMinutes(atMs)),
    follow: follower.follow,
    past: askOneByOne(async (atMs) => pastRows(current(), atMs)),
    act: async (deed) => act(current(), deed),
    close() {
      isClosed = true;
      follower.follow(null);
      peer?.close();
    },
  };
}

/** One question at a time, and of those that came meanwhile only the newest: keys may ask faster than is answered. */
function askOneByOne<Question, Answer>(
  ask: (question: Question) => Promise<Answer>,
): (question: Question) => Promise<Answer> {
  let last: Promise<unknown> = Promise.resolve();
  let newest = 0;
  return (question) => {
    newest += 1;
    const mine = newest;
    const answer = last.then(() => {
      if (mine !== newest) throw new Error("another moment was asked for");
      return ask(question);
    });
    last = answer.catch(() => {});
    return answer;
  };
}
