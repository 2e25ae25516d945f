/** config.show: Slurm's configuration keys, with what is true of this cluster. */

import { ARRAY_SIZE_MAX } from "../../core/array-spec.ts";
import { formatLicenses, licensesOf } from "../../core/licenses.ts";
import { formatPlacement } from "../../core/placement.ts";
import { isPolicyOn } from "../../core/policy/state.ts";
import { longDuration } from "../../core/policy/words.ts";
import { formatSchedulerParameters } from "../../core/scheduler-parameters.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { SLURM_VERSION } from "../../view/slurm-version.ts";
import type { ControllerContext } from "../context.ts";

type Value = readonly [key: string, value: string | number];

const NONE = "(null)";

/** Answers from settings and state. */
export function configHandler(context: ControllerContext): UnaryHandler<"config.show"> {
  return () => {
    const values = [...accounting(context), ...jobs(context), ...priority(context), ...daemons(context)];
    return {
      values: values
        .map(([key, value]) => ({ key, value: String(value) }))
        .sort((a, b) => (a.key.toUpperCase() < b.key.toUpperCase() ? -1 : 1)),
      now: context.clock.now(),
    };
  };
}

function accounting({ loop, settings }: ControllerContext): Value[] {
  const isOn = isPolicyOn(loop.state.policy);
  return [
    // As scripts expect it where a history is kept; mgpu keeps its own files.
    ["AccountingStorageType", "accounting_storage/slurmdbd"],
    ["AccountingStorageEnforce", isOn ? "associations,limits,qos" : "none"],
    ["AccountingStorageTRES", "cpu,mem,energy,node,billing,fs/disk,vmem,pages,gres/gpu"],
    ["AccountingStoreFlags", NONE],
    ["JobAcctGatherFrequency", NONE],
    ["JobAcctGatherType", "jobacct_gather/linux"],
    ["JobCompType", "jobcomp/none"],
    ["PrivateData", settings.privateData.join(",") || "none"],
  ];
}

function jobs({ loop, settings }: ControllerContext): Value[] {
  const { state } = loop;
  return [
    ["AllowSpecResourcesUsage", "No"],
    ["DefMemPerNode", settings.defaultMemoryMiB || "UNLIMITED"],
    ["DependencyParameters", NONE],
    ["DisableRootJobs", "No"],
    ["EnforcePartLimits", settings.enforcePartLimits],
    ["FirstJobId", 1],
    ["GresTypes", "gpu"],
    ["InactiveLimit", `${settings.orphanS} sec`],
    ["JobFileAppend", 0],
    ["JobRequeue", 1],
    ["JobSubmitPlugins", NONE],
    ["KillOnBadExit", 0],
    ["KillWait", `${settings.killWaitS} sec`],
    ["LaunchParameters", NONE],
    ["LaunchType", "launch/slurm"],
    ["Licenses", formatLicenses(licensesOf(state.licenses)) || NONE],
    ["MailProg", settings.mailProgram || NONE],
    ["MaxArraySize", ARRAY_SIZE_MAX],
    ...ownLimits(settings),
    ["MaxMemPerNode", "UNLIMITED"],
    ["MaxTasksPerNode", 65_533],
    ["MinJobAge", `${settings.minJobAgeS} sec`],
    ["MpiDefault", "none"],
    ["NEXT_JOB_ID", state.nextJobId],
    ["OverTimeLimit", "0 min"],
    ["Prolog", NONE],
    ["PrologFlags", NONE],
    ["PropagateResourceLimits", "ALL"],
    ["PropagateResourceLimitsExcept", NONE],
    ["ResvOverRun", "0 min"],
    ["SrunPortRange", "0-0"],
  ];
}

/** Limits of the configuration: Slurm has the first by this name, and the others as those of a QOS. */
function ownLimits(settings: ControllerContext["settings"]): Value[] {
  const limits: Value[] = [
    ["MaxJobCount", settings.maxQueued],
    ["MaxQueuedJobsPerUser", settings.maxQueuedPerUser],
    ["MaxRunningJobs", settings.maxRunning],
    ["MaxRunningJobsPerUser", settings.maxRunningPerUser],
  ];
  return limits.filter(([, limit]) => limit !== 0);
}

function priority({ loop, settings }: ControllerContext): Value[] {
  const { policy } = loop.state;
  const { config } = policy;
  const isOn = isPolicyOn(policy);
  const weights: Value[] = isOn
    ? [
        ["PriorityDecayHalfLife", config.decayHalfLifeS],
        ["PriorityFavorSmall", config.favorSmall ? "Yes" : "No"],
        ["PriorityMaxAge", config.maxAgeS],
        ["PriorityWeightAge", config.weightAge],
        ["PriorityWeightFairShare", config.weightFairShare],
        ["PriorityWeightJobSize", config.weightJobSize],
        ["PriorityWeightPartition", config.weightPartition],
        ["PriorityWeightQOS", config.weightQos],
      ]
    : [];
  return [
    ...weights,
    ["PlacementPolicy", formatPlacement(settings.placement)],
    ["PreemptMode", settings.preemptMode],
    ["PreemptType", settings.preemptType],
    ["PreemptExemptTime", settings.preemptExemptS === 0 ? "00:00:00" : longDuration(settings.preemptExemptS)],
    ["PriorityType", isOn ? "priority/multifactor" : "priority/basic"],
    ["SchedulerParameters", formatSchedulerParameters(settings.schedulerParameters)],
    ["SchedulerType", settings.schedulerType],
    ["SelectType", "select/cons_tres"],
    ["SelectTypeParameters", "CR_CORE_MEMORY"],
    ["SuspendTime", "INFINITE"],
    ["SwitchType", "switch/none"],
    ["TopologyPlugin", "topology/none"],
  ];
}

function daemons({ identity, places, settings }: ControllerContext): Value[] {
  const user = `${identity.user.name}(${identity.user.uid})`;
  return [
    ["AuthType", NONE],
    ["ClusterName", settings.clusterName],
    ["MULTIPLE_SLURMD", "Yes"],
    ["NodeFeaturesPlugins", NONE],
    ["ProctrackType", "proctrack/linuxproc"],
    ["ReturnToService", 1],
    ["SLURM_CONF", NONE],
    ["SLURM_VERSION", SLURM_VERSION],
    ["SlurmctldDebug", settings.logLevel],
    ["SlurmctldParameters", NONE],
    ["SlurmdParameters", NONE],
    ["SlurmdTimeout", `${settings.nodeTimeoutS} sec`],
    ["SlurmdUser", user],
    ["SlurmUser", user],
    ["StateSaveLocation", places.home],
    ["TaskPlugin", "task/none"],
    ["TaskPluginParam", NONE],
  ];
}
