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
