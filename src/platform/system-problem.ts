/** What the operating system refuses, as a value with its own words. */

import { constants } from "node:os";

/** A refusal of the operating system. */
export interface SystemProblem {
  /** `ENOENT` */
  readonly code: string;
  /** errno's number: 2 */
  readonly number: number;
  /** As the C library words it: `No such file or directory` */
  readonly text: string;
}

export type Outcome<T> = { readonly value: T } | { readonly problem: SystemProblem };

/** The system's words for a code such as `ENOENT`. */
export function systemProblem(code: string): SystemProblem {
  const number = constants.errno[code as keyof typeof constants.errno] ?? 0;
  return { code, number, text: PROBLEM_TEXTS[code] ?? code };
}

const PROBLEM_TEXTS: Readonly<Record<string, string>> = {
  E2BIG: "Argument list too long",
  EACCES: "Permission denied",
  EAGAIN: "Resource temporarily unavailable",
  EBUSY: "Device or resource busy",
  EDQUOT: "Disk quota exceeded",
  EINVAL: "Invalid argument",
  EIO: "Input/output error",
  EISDIR: "Is a directory",
  ELOOP: "Too many levels of symbolic links",
  EMFILE: "Too many open files",
  ENAMETOOLONG: "File name too long",
  ENFILE: "Too many open files in system",
  ENODEV: "No such device",
  ENOENT: "No such file or directory",
  ENOEXEC: "Exec format error",
  ENOMEM: "Cannot allocate memory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  ENXIO: "No such device or address",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
  ESTALE: "Stale file handle",
  ETIMEDOUT: "Connection timed out",
  ETXTBSY: "Text file busy",
};

/** What an error of Node says. */
export function problemOf(error: unknown): SystemProblem {
  const { code, message } = error as NodeJS.ErrnoException;
  // Node itself refuses strings with a zero byte, which execve could not take either.
  if (code === "ERR_INVALID_ARG_VALUE") return { ...systemProblem("EINVAL"), text: "a zero byte in an argument" };
  return code === undefined ? { code: "EIO", number: 5, text: message } : systemProblem(code);
}

/** What an action gives, or why the system refused it. */
export async function attempt<T>(action: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await action() };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

/** The same for an action that is done at once. */
export function attemptNow<T>(action: () => T): Outcome<T> {
  try {
    return { value: action() };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}
