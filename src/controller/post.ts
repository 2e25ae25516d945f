/** Mail to the users of jobs: handed on once the events that it tells of are on disk. */

import type { SendMail } from "../core/effects.ts";
import type { JobId } from "../core/ids.ts";
import { doomMail } from "../core/mail.ts";
import { isMailUser } from "../core/mail-types.ts";
import { type JobReport, noticeBody, noticeTarget, reportLines } from "../core/notice.ts";
import type { ClusterState } from "../core/state.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Mailer } from "../platform/mailer.ts";
import type { Notifier } from "../platform/webhook.ts";
import { waitReason } from "../sched/eligible.ts";

export interface Post {
  send(mail: SendMail): void;
  /** Mails about a waiting job if what it depends on can't come true any more; once. */
  tellDoomed(jobId: JobId): void;
}

export interface PostPorts {
  readonly mailer: Mailer;
  /** Without it web addresses hear nothing. */
  readonly notifier?: Notifier | undefined;
  readonly log: Log;
  readonly clock: Clock;
  state(): ClusterState;
  /** What is to be told of a job that has ended. Never rejects. */
  reportOf(jobId: JobId): Promise<JobReport | null>;
}

/** Jobs remembered as told of; far more than wait for what can't happen. */
const TOLD_MAX = 10_000;

/** Hands mail to the mailer. What can't be sent is in the log. */
export function createPost({ mailer, notifier, log, clock, state, reportOf }: PostPorts): Post {
  const told = new Set<JobId>();

  const deliver = ({ to, subject, variables, notify = [] }: SendMail, report: JobReport | null): void => {
    for (const text of notify) {
      const target = noticeTarget(text);
      if (target) notifier?.send({ url: target.url, ...noticeBody(target.kind, subject, variables, report) });
    }
    if (to === "") return;
    const problem = isMailUser(to) ? mailer.problem() : "that is no user or address";
    if (problem) log.warn("mail was not sent", { to, subject, problem });
    else mailer.send({ to, subject, variables, ...(report ? { body: reportLines(report) } : {}) });
  };

  const send = (mail: SendMail): void => {
    if (mail.about === undefined) deliver(mail, null);
    else void reportOf(mail.about).then((report) => deliver(mail, report));
  };

  return {
    send,
    tellDoomed(jobId) {
      const job = state().jobs.get(jobId);
      if (job?.state !== "PENDING" || told.has(jobId)) return;
      if (waitReason(state(), job, clock.now())?.reason.word !== "DependencyNeverSatisfied") return;
      if (told.size >= TOLD_MAX) told.clear();
      told.add(jobId);
      for (const mail of doomMail(job)) send(mail);
    },
  };
}
