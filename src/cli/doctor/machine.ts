/** What is to be said of one machine: pure, from the facts that it told of itself (platform/machine-facts.ts). */

import type { MachineFacts } from "../../protocol/doctor-procedures.ts";
import { type Finding, type Notes, notesOf } from "./finding.ts";

export interface MachineView {
  /** `this machine`, `node n1`. */
  readonly where: string;
  /** GPUs are pretended: real ones are not looked at. */
  readonly fakeGpus: boolean;
  /** A node's: its daemon's locale is of no matter, since jobs bring that of who submits. */
  readonly isNode: boolean;
}

type Folder = MachineFacts["folders"][number];

/** Below this a job's output, a journal or a model's checkpoint soon finds no room. */
const FREE_MIB_MIN = 1024;
const FREE_MIB_FATAL = 16;
const FREE_INODES_MIN = 1000;

/** A data loader of PyTorch keeps some hundred files open. */
const NOFILE_MIN = 4096;
const NPROC_MIN = 4096;

/** All findings about a machine, the good ones included. */
export function machineFindings(facts: MachineFacts, { where, fakeGpus, isNode }: MachineView): readonly Finding[] {
  const notes = notesOf(where);
  for (const folder of facts.folders) noteFolder(folder, notes);
  noteDriver(facts.driver, fakeGpus, notes);
  notePython(facts.python, notes);
  noteLimits(facts, notes);
  noteCgroup(facts.cgroup, isNode, notes);
  if (!isNode) noteLocale(facts, notes);
  return notes.all;
}

function noteFolder({ what, path, state, problem, freeMiB, freeInodes }: Folder, notes: Notes): void {
  if (state === "silent") {
    return notes.fail(what, `${path}: its file system does not answer`, `is its server up? df ${path} hangs as well`);
  }
  if (state === "missing") {
    // Made when it is needed.
    if (isOurs(what)) {
      if (problem !== "") return notes.fail(what, `${path} can't be made: ${problem}`, fixOf(problem, path, what));
      return notes.ok(what, `${path} is made when mgpu starts`);
    }
    return notes.warn(what, `${path} does not exist here`, `make it, or mount the file system that it is on`);
  }
  if (problem !== "") return notes.fail(what, `${path} can't be written: ${problem}`, fixOf(problem, path, what));
  if (freeMiB >= 0 && freeMiB < FREE_MIB_FATAL) {
    return notes.fail(what, `${path} is full: ${freeMiB} MiB are free`, `make room: du -xh ${path} | sort -h | tail`);
  }
  if (freeInodes >= 0 && freeInodes < FREE_INODES_MIN && freeMiB >= 0 && freeInodes > 0) {
    return notes.warn(what, `${path}: room for ${freeInodes} more files only`, `remove files: df -i ${path} shows it`);
  }
  if (freeMiB >= 0 && freeMiB < FREE_MIB_MIN) {
    return notes.warn(what, `${path}: ${freeMiB} MiB are free`, `make room: du -xh ${path} | sort -h | tail`);
  }
  notes.ok(what, `${path}: ${freeMiB < 0 ? "can be written" : `${sizeText(freeMiB)} free`}`);
}

function isOurs(what: string): boolean {
  return what === "spool" || what === "state folder";
}

function fixOf(problem: string, path: string, what: string): string {
  const otherwise = isOurs(what) ? "; MGPU_HOME names another state folder" : "";
  if (/read-only/i.test(problem))
    return `mount it for writing: mount -o remount,rw "$(stat -c %m ${path})"${otherwise}`;
  if (/no space|quota/i.test(problem)) return `make room: du -xh ${path} | sort -h | tail${otherwise}`;
  if (/no such file|not a directory/i.test(problem)) return `no folder can be made there${otherwise}`;
  return `chown or chmod it, so that you can write there${otherwise}`;
}

function noteDriver(driver: MachineFacts["driver"], fakeGpus: boolean, notes: Notes): void {
  const what = "GPU driver";
  const { onBus, module, smi, problem, version, gpus, withoutPersistence, denied } = driver;
  if (fakeGpus) return notes.ok(what, "not looked at: GPUs are pretended (MGPU_FAKE_GPUS)");
  const hardware = onBus === 1 ? "1 NVIDIA GPU is" : `${onBus} NVIDIA GPUs are`;
  if (smi === "missing" && onBus === 0 && module === "") return notes.ok(what, "no NVIDIA GPU in this machine");
  if (smi === "missing") {
    const text = `${onBus > 0 ? `${hardware} on the bus` : `driver ${module} is loaded`}, but nvidia-smi is missing`;
    return notes.fail(
      what,
      text,
      "install the driver's tools (Debian: nvidia-smi, Ubuntu: nvidia-utils-...), and put them on PATH",
    );
  }
  if (smi === "failed") return notes.fail(what, `nvidia-smi: ${problem}`, driverFix(problem, module));
  if (module !== "" && version !== "" && module !== version) {
    notes.fail(what, `kernel module ${module}, library ${version}`, "reboot, or unload and load the nvidia modules");
  } else if (onBus > gpus) {
    notes.fail(
      what,
      `${hardware} on the bus, nvidia-smi lists ${gpus}`,
      "dmesg | grep -i -e nvrm -e xid says what became of the others",
    );
  } else notes.ok(what, `${version}, ${gpus} ${gpus === 1 ? "GPU" : "GPUs"}`);
  if (denied.length > 0) {
    notes.fail(
      "GPU files",
      `no right to open ${denied.join(", ")}`,
      "add the user to the files' group (video, render): ls -l /dev/nvidia*",
    );
  }
  if (withoutPersistence > 0) {
    const text = `persistence mode is off: the first program after a pause waits seconds for the driver`;
    notes.warn("persistence", text, "as root: nvidia-smi -pm 1, or enable nvidia-persistenced");
  }
}

function driverFix(problem: string, module: string): string {
  if (/version mismatch/i.test(problem)) {
    return "the driver was updated while its old module is loaded: reboot, or unload and load the nvidia modules";
  }
  if (/couldn't communicate|no devices were found/i.test(problem) || module === "") {
    return "load the module (modprobe nvidia); after an update of the kernel, build it anew (dkms autoinstall)";
  }
  if (/did not answer|hangs/.test(problem)) return "a GPU hangs: dmesg | grep -i xid; a reboot helps";
  return "run nvidia-smi there and see what it says; dmesg | grep -i nvrm may tell more";
}

function notePython({ path, version, torch, cuda, problem }: MachineFacts["python"], notes: Notes): void {
  if (problem !== "")
    return notes.warn("python", `${path || "python3"}: ${problem}`, `run ${path || "python3"} -V there`);
  if (path === "") return notes.ok("python", "no python3 on this PATH");
  const what = torch === "" ? "without torch" : `torch ${torch}${cuda === "" ? ", without CUDA" : `, CUDA ${cuda}`}`;
  notes.ok("python", `${path} ${version}, ${what}`);
}

function noteLimits({ limits, hasRdma }: MachineFacts, notes: Notes): void {
  const { NOFILE, NPROC, MEMLOCK } = limits;
  if (NOFILE && isBelow(NOFILE.hard, NOFILE_MIN)) {
    const fix = "raise it: * hard nofile 1048576 in /etc/security/limits.conf, or LimitNOFILE= in the unit";
    notes.warn("open files", `at most ${NOFILE.hard} in one process`, fix);
  } else if (NOFILE) notes.ok("open files", `at most ${limitText(NOFILE.hard)} in one process`);
  if (NPROC && isBelow(NPROC.soft, NPROC_MIN)) {
    const fix = "raise it: * - nproc 65536 in /etc/security/limits.conf, or LimitNPROC= in the unit";
    notes.warn("processes", `at most ${NPROC.soft} of one user`, fix);
  } else if (NPROC) notes.ok("processes", `at most ${limitText(NPROC.soft)} of one user`);
  if (!MEMLOCK) return;
  const size = MEMLOCK.soft < 0 ? "unlimited" : sizeText(Math.floor(MEMLOCK.soft / 2 ** 20));
  if (hasRdma && MEMLOCK.soft >= 0) {
    const fix = "raise it: * - memlock unlimited in /etc/security/limits.conf, or LimitMEMLOCK=infinity in the unit";
    return notes.warn("locked memory", `${size}: programs that use the InfiniBand hardware here need more`, fix);
  }
  notes.ok("locked memory", size);
}

/**
 * Memory limits hold either way: what differs is who sees to it, and how soon. A node tells what it does, this machine what a
 * daemon that is started here could.
 */
function noteCgroup({ version, path, memory }: MachineFacts["cgroup"], isNode: boolean, notes: Notes): void {
  const what = version === 0 ? "none" : `version ${version}`;
  if (memory?.isRequired && memory.folder === "") {
    const fix = "mend that, or take node.memory_enforcement out of the configuration (MGPU_MEMORY_ENFORCEMENT)";
    return notes.fail("cgroups", `${what}: no job with a memory limit can start here: ${memory.problem}`, fix);
  }
  if (memory && memory.folder !== "") {
    const who = isNode ? "the kernel keeps" : "a daemon that is started here lets the kernel keep";
    return notes.ok("cgroups", `${what}: ${who} jobs within their memory, in ${memory.folder}`);
  }
  const why = memory?.problem || (version === 2 ? `${path || "/"} is not delegated` : "");
  const watch = "mgpu looks at the memory of jobs itself, once a second";
  notes.ok("cgroups", `${what}${why === "" ? "" : ` (${why})`}: the kernel stops no job at its limit; ${watch}`);
}

function noteLocale({ locale, zone }: MachineFacts, notes: Notes): void {
  if (/utf-?8/i.test(locale)) notes.ok("locale", locale);
  else {
    const text = `${locale || "none set"}: names beyond ASCII come out garbled in programs`;
    notes.warn("locale", text, "export LANG=C.UTF-8");
  }
  notes.ok("time zone", `${zone.name} (${offsetText(zone.offsetMin)})`);
}

/** `UTC+02:00` */
export function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (value: number): string => `${value}`.padStart(2, "0");
  return `UTC${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function isBelow(limit: number, least: number): boolean {
  return limit >= 0 && limit < least;
}

function limitText(limit: number): string {
  return limit < 0 ? "unlimited" : `${limit}`;
}

/** `21 GiB`, `700 MiB` */
function sizeText(mib: number): string {
  return mib >= 10 * 1024 ? `${Math.floor(mib / 1024)} GiB` : `${mib} MiB`;
}
