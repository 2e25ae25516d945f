/** --mail-type=ALL_DONE: one mail when the last job of a user has ended, whichever that is. */

import { expect, test } from "vitest";
import type { Command } from "../../../src/core/commands.ts";
import { step } from "../../../src/core/kernel.ts";
import { emptyState, fromStored, toStored } from "../../../src/core/state.ts";
import { spec, T0 } from "../support/samples.ts";

const mail = (user: string, ...notify: string[]) => ({ types: ["ALL_DONE"], user, ...(notify[0] ? { notify } : {}) });
const cancel = (jobId: number): Command => ({ type: "job.cancel", jobId, tasks: null, byUid: 0, cause: "" });

test("is told once, with the last end, to all who asked; and asked again, again", () => {
  const state = emptyState();
  const go = (command: Command) => step(state, command, T0).effects.filter(({ type }) => type === "mail.send");
  const submit = (over = {}) => go({ type: "job.submit", requestId: "", spec: spec(over) });
  submit({ mail: mail("ada", "https://h/1") });
  submit();
  submit({ mail: mail("ada@lab.org", "https://h/2") });
  submit({ user: { uid: 1001, gid: 1, name: "bob" } });
  expect([...go(cancel(1)), ...go(cancel(3))]).toEqual([]);
  expect(fromStored(JSON.parse(JSON.stringify(toStored(state))))).toEqual(state);
  // Jobs that are gone from memory have left their wish.
  go({ type: "job.purge", jobId: 1 });
  expect(go(cancel(2))).toEqual([
    {
      type: "mail.send",
      to: "ada,ada@lab.org",
      notify: ["https://h/1", "https://h/2"],
      subject: "Slurm All jobs of ada are done: 3 ended, 3 not COMPLETED, the last one was Job_id=2",
      variables: expect.objectContaining({ SLURM_JOB_MAIL_TYPE: "All done", SLURM_JOB_USER: "ada" }),
    },
  ]);
  submit();
  expect([...go(cancel(5)), ...go(cancel(4))]).toEqual([]);
  submit({ mail: mail("ada") });
  expect(go(cancel(6))).toMatchObject([{ to: "ada", subject: expect.stringContaining(": 1 ended, 1 not COMPLETED") }]);
});

test("a wish grows with no job: it keeps the newest eight of each kind, and what a mail takes", () => {
  const state = emptyState();
  const ask = (at: number, user: string) =>
    step(state, { type: "job.submit", requestId: "", spec: spec({ mail: mail(user, `https://h/${at}`) }) }, T0);
  for (let at = 1; at <= 20; at++) ask(at, `u${at},ada`);
  const wish = () => state.doneWishes.get(1000);
  expect(wish()?.to).toBe("u14,u15,u16,u17,u18,u19,u20,ada");
  expect(wish()?.notify).toEqual([13, 14, 15, 16, 17, 18, 19, 20].map((at) => `https://h/${at}`));
  // One that is named again is new again.
  ask(13, "u14");
  expect(wish()?.to).toBe("u15,u16,u17,u18,u19,u20,ada,u14");
  expect(wish()?.notify.at(-1)).toBe("https://h/13");
  const long = ["a", "b", "c"].map((letter) => letter.repeat(400));
  for (const user of long) ask(1, user);
  expect(wish()?.to).toBe(long.slice(1).join(","));
  expect(wish()?.notify).toHaveLength(8);
});
