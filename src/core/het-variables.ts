/**
 * What the processes of a heterogeneous job are told of all its components: Slurm's variables of a job under names that
 * end in the component's position (SLURM_JOB_NODELIST_HET_GROUP_1). Pure.
 */

import type { RunningJob } from "./job.ts";
import { sizeVariables } from "./size-variables.ts";
import { distributionVariables, wishVariables } from "./wish-variables.ts";

type Variables = Record<string, string>;

/** A component that runs, and the name of its partition. */
export interface RunningComponent {
  readonly job: RunningJob;
  readonly partition: string;
}

/** SLURM_HET_SIZE, and the variables of each component. */
export function hetVariables(components: readonly RunningComponent[]): Variables {
  const all: Variables = {};
  for (const { job, partition } of components) {
    const { het } = job.spec;
    if (!het) continue;
    all.SLURM_HET_SIZE = String(het.size);
    for (const [name, value] of Object.entries(componentVariables(job, partition))) {
      all[groupName(name, het.offset)] = value;
    }
  }
  return all;
}

/** The name under which a variable speaks of a component. */
function groupName(name: string, offset: number): string {
  return `${name}_HET_GROUP_${offset}`;
}

/**
 * An environment in which the plain names speak of one component, as those of an ordinary job do: what was said of another
 * one is gone.
 */
export function asComponent(environment: Readonly<Record<string, string | undefined>>, offset: number): Variables {
  const plain: Variables = {};
  const own: Variables = {};
  const spokenOf = new Set<string>();
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    plain[name] = value;
    const [, base = "", group] = GROUPED.exec(name) ?? [];
    // The job's own number stays that of the whole.
    if (base === "" || base === "SLURM_JOB_ID" || base === "SLURM_JOBID") continue;
    spokenOf.add(base);
    if (Number(group) === offset) own[base] = value;
  }
  for (const name of spokenOf) delete plain[name];
  return { ...plain, ...own };
}

const GROUPED = /^(SLURM_\w+)_HET_GROUP_(\d+)$/;

function componentVariables({ id, spec, allocation }: RunningJob, partition: string): Variables {
  const { distribution } = spec;
  return {
    SLURM_JOB_ID: String(id),
    SLURM_JOBID: String(id),
    SLURM_JOB_NAME: spec.name,
    ...sizeVariables(allocation),
    SLURM_JOB_PARTITION: partition,
    ...(spec.account === null ? {} : { SLURM_JOB_ACCOUNT: spec.account }),
    ...(spec.qos === null ? {} : { SLURM_JOB_QOS: spec.qos }),
    ...(spec.reservation === null ? {} : { SLURM_JOB_RESERVATION: spec.reservation }),
    ...wishVariables(spec.request),
    ...(distribution === "block" ? {} : distributionVariables(distribution)),
  };
}
