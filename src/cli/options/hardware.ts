/**
 * Options of Slurm about the make of nodes, binding, clocks and measuring, all without effect here or refused. What
 * a program computes does not depend on those that are taken: at most how fast.
 */

import { parseExtraNodeInfo, parseHint } from "../../core/cpu-bind.ts";
import { expected, type Parsed, parseCount } from "../../core/parse.ts";
import { shaped } from "./readers.ts";
import { ALL, type IgnoredOption, ignored, named, type Reader, type RefusedOption, refused } from "./record.ts";

const NO_TOPOLOGY = "CPUs are counted without regard to sockets, cores and threads";
const NOT_BOUND = "tasks are bound to CPUs by --cpu-bind alone, and never to memory";
const NOT_RESERVED = "no cores are set aside for the system";

const CORES: Reader = (text) => parseCount(text, 0);
const POSITIVE: Reader = (text) => parseCount(text);

/** A word of a list, or several where `many`. */
function oneOf(words: readonly string[], many = false): Reader {
  return (text: string): Parsed<string> => {
    const given = many ? text.toLowerCase().split(",") : [text.toLowerCase()];
    return given.every((one) => words.includes(one)) ? { value: text } : expected(words.join(", "), text);
  };
}

const MEM_BIND = shaped(
  /^(?:(?:q|quiet|v|verbose|sort|nosort|p|prefer|no|none|rank|local|help|(?:map|mask)_mem:[\da-fx,*]+)(?:,|$))+$/i,
  "quiet, verbose, none, rank, local, sort, nosort, prefer, map_mem:list or mask_mem:list",
);
const CPU_FREQ = shaped(
  /^(?:\d+|low|medium|high|highm1|conservative|ondemand|performance|powersave|schedutil|userspace)(?:[-:,=](?:\d+|[a-z0-9]+))*$/i,
  "a frequency in kilohertz, low, medium, highm1, high, or a governor",
);
const ACCTG_FREQ = shaped(
  /^\d+$|^(?:(?:task|energy|network|filesystem)=\d+(?:,|$))+$/i,
  "seconds, or task=seconds and the like",
);
const SWITCHES = shaped(/^\d+(?:@[\d:-]+)?$/, "a count, with @time behind it or not");
const PROFILE = oneOf(["all", "none", "energy", "task", "filesystem", "lustre", "network"], true);

export const HARDWARE: readonly (IgnoredOption | RefusedOption)[] = [
  ignored("ntasks-per-core", ALL, NO_TOPOLOGY, { check: POSITIVE, variables: { srun: "SLURM_NTASKS_PER_CORE" } }),
  ignored("ntasks-per-socket", ALL, NO_TOPOLOGY, { check: POSITIVE, variables: { srun: "SLURM_NTASKS_PER_SOCKET" } }),
  ignored("cores-per-socket", ALL, NO_TOPOLOGY, { check: POSITIVE }),
  ignored("threads-per-core", ALL, NO_TOPOLOGY, { check: POSITIVE, variables: named("THREADS_PER_CORE") }),
  ignored("extra-node-info", ALL, NO_TOPOLOGY, { short: "B", check: parseExtraNodeInfo }),
  ignored("hint", ALL, NOT_BOUND, { check: parseHint, variables: named("HINT") }),
  ignored("mem-bind", ALL, NOT_BOUND, { check: MEM_BIND, variables: named("MEM_BIND") }),
  ignored("core-spec", ALL, NOT_RESERVED, { check: CORES, short: "S", variables: named("CORE_SPEC") }),
  ignored("thread-spec", ALL, NOT_RESERVED, { check: CORES, variables: named("THREAD_SPEC") }),
  ignored("cpu-freq", ALL, "clocks of CPUs are left as they are", {
    check: CPU_FREQ,
    variables: { srun: "SLURM_CPU_FREQ_REQ" },
  }),
  ignored("power", ALL, "power is not managed", { variables: named("POWER") }),
  ignored("switches", ALL, "all nodes count as equally far apart", { check: SWITCHES, variables: named("REQ_SWITCH") }),
  ignored("segment", ALL, "all nodes count as equally far apart"),
  ignored("network", ALL, "networks are not set up for jobs", { variables: named("NETWORK") }),
  ignored("acctg-freq", ALL, "usage is measured at intervals of mgpu's own", {
    check: ACCTG_FREQ,
    variables: named("ACCTG_FREQ"),
  }),
  ignored("profile", ALL, "no profiles are written", { check: PROFILE, variables: named("PROFILE") }),
  ignored("stepmgr", ALL, "steps are managed by the controller", { argument: "none" }),
  refused("bb", ALL, "there are no burst buffers; copy files within the job", {
    variables: { srun: "SLURM_BURST_BUFFER", salloc: "SALLOC_BURST_BUFFER" },
  }),
  refused("bbf", ALL, "there are no burst buffers; copy files within the job"),
];
