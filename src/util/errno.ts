/** Errors of the operating system in its own words. */

/** Sentences of the errors that users meet. */
const WORDS: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  EPERM: "Operation not permitted",
  ENOENT: "No such file or directory",
  ENOTDIR: "Not a directory",
  EISDIR: "Is a directory",
  EROFS: "Read-only file system",
  ENAMETOOLONG: "File name too long",
  ELOOP: "Too many levels of symbolic links",
  ENOSPC: "No space left on device",
  EIO: "Input/output error",
  EADDRINUSE: "Address already in use",
  ECONNREFUSED: "Connection refused",
};

/** `No such file or directory` for an error with code ENOENT, and so on; else its code or message. */
export function errnoText(error: unknown): string {
  const { code = "", message = String(error) } = error as { code?: string; message?: string };
  return WORDS[code] ?? (code || message);
}

/** `/x: Permission denied` for a refusal of the file system; the message of any other error. */
export function systemText(error: unknown): string {
  const { code = "", path } = error as { code?: string; path?: unknown };
  if (typeof path === "string" && Object.hasOwn(WORDS, code)) return `${path}: ${errnoText(error)}`;
  return error instanceof Error ? error.message : String(error);
}
