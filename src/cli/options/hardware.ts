/**
 * Options of Slurm about the make of nodes, binding, clocks and measuring, all without effect here or refused. What
 * a program computes does not depend on those that are taken: at most how fast.
 */

import { ALL, type IgnoredOption, ignored, named, type RefusedOption, refused, SRUN } from "./record.ts";

const NO_TOPOLOGY = "CPUs are counted without regard to sockets, cores and threads";
const NOT_BOUND = "tasks are not bound to CPUs or memory: the kernel chooses";
const NOT_RESERVED = "no cores are set aside for the system";

export const HARDWARE: readonly (IgnoredOption | RefusedOption)[] = [
  ignored("ntasks-per-core", ALL, NO_TOPOLOGY, { variables: { srun: "SLURM_NTASKS_PER_CORE" } }),
  ignored("ntasks-per-socket", ALL, NO_TOPOLOGY, { variables: { srun: "SLURM_NTASKS_PER_SOCKET" } }),
  ignored("cores-per-socket", ALL, NO_TOPOLOGY),
  ignored("threads-per-core", ALL, NO_TOPOLOGY, { variables: named("THREADS_PER_CORE") }),
  ignored("extra-node-info", ALL, NO_TOPOLOGY, { short: "B" }),
  ignored("hint", ALL, NOT_BOUND, { variables: named("HINT") }),
  ignored("cpu-bind", SRUN, NOT_BOUND, { aliases: ["cpu_bind"], variables: { srun: "SLURM_CPU_BIND" } }),
  ignored("mem-bind", ALL, NOT_BOUND, { variables: named("MEM_BIND") }),
  ignored("core-spec", ALL, NOT_RESERVED, { short: "S", variables: named("CORE_SPEC") }),
  ignored("thread-spec", ALL, NOT_RESERVED, { variables: named("THREAD_SPEC") }),
  ignored("cpu-freq", ALL, "clocks of CPUs are left as they are", { variables: { srun: "SLURM_CPU_FREQ_REQ" } }),
  ignored("power", ALL, "power is not managed", { variables: named("POWER") }),
  ignored("switches", ALL, "all nodes count as equally far apart", { variables: named("REQ_SWITCH") }),
  ignored("segment", ALL, "all nodes count as equally far apart"),
  ignored("network", ALL, "networks are not set up for jobs", { variables: named("NETWORK") }),
  ignored("acctg-freq", ALL, "usage is measured at intervals of mgpu's own", { variables: named("ACCTG_FREQ") }),
  ignored("profile", ALL, "no profiles are written", { variables: named("PROFILE") }),
  ignored("stepmgr", ALL, "steps are managed by the controller", { argument: "none" }),
  refused("bb", ALL, "there are no burst buffers; copy files within the job", {
    variables: { srun: "SLURM_BURST_BUFFER", salloc: "SALLOC_BURST_BUFFER" },
  }),
  refused("bbf", ALL, "there are no burst buffers; copy files within the job"),
];
