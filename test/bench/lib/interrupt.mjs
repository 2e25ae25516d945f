/** Ctrl-C while a bench runs: nothing more is begun, for the next command would start the cluster again. */

let isInterrupted = false;

/** From now on {@link throwIfInterrupted} throws. */
export function interrupt() {
  isInterrupted = true;
}

/** Called before each program that a bench starts. */
export function throwIfInterrupted() {
  if (isInterrupted) throw new Error("interrupted");
}
