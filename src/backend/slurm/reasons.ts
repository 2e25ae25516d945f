/** Slurm's reason words in sentences, where its own description is empty. Source: squeue's manual, JOB REASON CODES. */

const TEXTS: Readonly<Record<string, string>> = {
  Resources: "what it asks for is in use; it is the next one to start in its partition",
  Priority: "jobs of higher priority come before it",
  Dependency: "jobs that it depends on have not ended yet",
  DependencyNeverSatisfied: "a job that it depends on ended in a way that it does not accept",
  BeginTime: "its earliest start is still to come",
  JobHeldUser: "its user holds it: mgpu-scontrol release lets it go",
  JobHeldAdmin: "an administrator holds it",
  JobArrayTaskLimit: "as many tasks of its array run as may at the same time",
  JobHoldMaxRequeue: "it was requeued too often, and is held",
  Licenses: "licenses that it asks for are in use",
  NodeDown: "a node that it needs is down",
  BadConstraints: "no node can ever satisfy its constraints",
  PartitionDown: "its partition is down",
  PartitionInactive: "its partition is inactive",
  PartitionNodeLimit: "it asks for more nodes than its partition allows",
  PartitionTimeLimit: "it asks for more time than its partition allows",
  ReqNodeNotAvail: "a node that it names is not available",
  Reservation: "its reservation has not begun",
  InvalidAccount: "its account is not valid",
  InvalidQOS: "its QoS is not valid",
  AssociationJobLimit: "its account has as many jobs as it may",
  AssociationResourceLimit: "its account holds as much as it may",
  AssociationTimeLimit: "its account has used its time",
  Cleaning: "what is left of its earlier start is being cleared away",
  Prolog: "the prologue of its nodes still runs",
  SchedDefer: "Slurm puts jobs that want to start at once off",
  None: "Slurm has not looked at it yet",
};

/** A sentence for a reason word; the limit's own name in it for the many limits of QoS and accounts. */
export function reasonText(reason: string): string {
  const known = TEXTS[reason];
  if (known !== undefined) return known;
  const [, who, limit] = /^(QOS|Assoc)(.+)$/.exec(reason) ?? [];
  if (limit !== undefined) return `a limit of its ${who === "QOS" ? "QoS" : "account"} is reached: ${limit}`;
  return /^ReqNodeNotAvail/.test(reason) ? (TEXTS.ReqNodeNotAvail ?? "") : "";
}
