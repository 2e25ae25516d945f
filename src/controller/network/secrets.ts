/** What of a job's record is its owner's alone: web addresses of notices, whose paths are what lets one write there. */

import { mayTouch } from "../../core/decide/steer.ts";
import type { Job } from "../../core/job.ts";
import type { Hello } from "../../protocol/procedures.ts";
import { actingUid } from "./access.ts";

/** The option as it was typed, cut short or not, with what follows it. */
const TYPED = /(--not[a-z]*(?:=|\s+))\S+/g;

const HIDDEN = "(hidden)";

/** Jobs as somebody may see them: the record itself for its owner, root and operators. */
export function recordsFor(hello: Hello): <J extends Job>(job: J) => J {
  const uid = actingUid(hello);
  return (job) => (mayTouch(job, uid) ? job : withoutSecrets(job));
}

function withoutSecrets<J extends Job>(job: J): J {
  const { mail, submitLine } = job.spec;
  const notify = mail?.notify ?? [];
  if (notify.length === 0 && !submitLine.includes("--not")) return job;
  // However it was quoted.
  const line = notify.reduce((text, one) => text.replaceAll(one, HIDDEN), submitLine).replace(TYPED, `$1${HIDDEN}`);
  return { ...job, spec: { ...job.spec, mail: mail && { types: mail.types, user: mail.user }, submitLine: line } };
}
