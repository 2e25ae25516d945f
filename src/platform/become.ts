/** Becoming a user for good: what a program of root's does before it looks at anything of that user's. */

interface Someone {
  readonly uid: number;
  readonly gid: number;
  /** All groups. */
  readonly groups: readonly number[];
}

/**
 * Gives up root's rights for a user's: the groups first, the uid last. Node's calls reach all threads. The kernel then keeps
 * others, the user's own processes included, out of this process's memory and environment.
 * @throws Error if that can't be, or could be undone
 */
export function becomeUser({ uid, gid, groups }: Someone): void {
  const { setgroups, setgid, setuid } = process;
  if (!setgroups || !setgid || !setuid) throw new Error("this system has no users");
  setgroups.call(process, [...new Set([gid, ...groups])]);
  setgid.call(process, gid);
  setuid.call(process, uid);
  if (process.getuid?.() !== uid || process.getgid?.() !== gid) throw new Error(`could not become uid ${uid}`);
  if (uid !== 0 && canReturn(setuid)) throw new Error(`root's rights could not be given up for those of uid ${uid}`);
}

function canReturn(setuid: NonNullable<typeof process.setuid>): boolean {
  try {
    setuid.call(process, 0);
    return true;
  } catch {
    return false;
  }
}
