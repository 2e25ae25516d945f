/** The files of sessions on a cluster of Slurm's. */

import { expect, test } from "vitest";
import { formatSession, parseSession } from "../../../src/config/slurm-sessions.ts";

const ORDER = { argv: ["bash", "-l"], columns: 80, rows: 24, isOwnJob: true };
const PLACE = {
  ...{ cluster: "centre", jobId: 7, attempt: 1, stepId: 0, node: "n1", socket: "/tmp/s", token: "abc", startAt: 1 },
};

test("a session's file says the same when it is read again, before and after its holder has started", () => {
  for (const session of [
    { order: ORDER, place: null },
    { order: { ...ORDER, inactivityS: 60 }, place: PLACE },
  ]) {
    expect(parseSession(formatSession(session))).toEqual(session);
  }
});

test("a file that is just being written, or is none, is no session", () => {
  const text = formatSession({ order: ORDER, place: PLACE });
  for (let end = 0; end < text.length - 2; end++) expect(parseSession(text.slice(0, end))).toBeNull();
  for (const wrong of [
    {},
    { order: ORDER },
    { order: { ...ORDER, argv: [] }, place: null },
    { order: { ...ORDER, rows: 0 }, place: null },
    { order: ORDER, place: { ...PLACE, jobId: "7" } },
    { order: ORDER, place: { ...PLACE, token: undefined } },
  ]) {
    expect(parseSession(JSON.stringify(wrong))).toBeNull();
  }
});
