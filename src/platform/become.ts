/** Becoming a user for good: what a program of root's does before it looks at anything of that user's. */

interface Someone {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/**
 * Gives up root's rights for a user's: all groups of the user, this group first, then the uid. Node's calls reach all
 * threads. The kernel then keeps others of that user out of this process's memory and environment.
 * @throws Error if that can't be, or could be undone
 */
export function becomeUser({ uid, gid, name }: Someone): void {
  // Of all Node has, its types leave out the first.
  const { initgroups, setgid, setuid } = process as typeof process & {
    initgroups?: (name: string, gid: number) => void;
  };
  if (!initgroups || !setgid || !setuid) throw new Error("this system has no users");
  initgroups.call(process, name, gid);
  setgid.call(process, gid);
  setuid.call(process, uid);
  if (process.getuid?.() !== uid || process.getgid?.() !== gid) throw new Error(`could not become ${name}`);
  if (uid !== 0 && canReturn(setuid)) throw new Error(`root's rights could not be given up for ${name}'s`);
}

function canReturn(setuid: NonNullable<typeof process.setuid>): boolean {
  try {
    setuid.call(process, 0);
    return true;
  } catch {
    return false;
  }
}
