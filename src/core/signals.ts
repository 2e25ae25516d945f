/** Signals by name, as Linux numbers them and as people write them. */

const SIGNALS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  IOT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  POLL: 29,
  PWR: 30,
  SYS: 31,
};

/** Highest signal of Linux, real-time ones included. */
const SIGNAL_MAX = 64;

export const SIGHUP = 1;
export const SIGKILL = 9;
export const SIGTERM = 15;
export const SIGCONT = 18;
export const SIGSTOP = 19;

/** Reads `USR1`, `SIGUSR1`, `usr1` or `10`; `undefined` for anything else. */
export function parseSignal(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= SIGNAL_MAX ? number : undefined;
  }
  const name = text.toUpperCase().replace(/^SIG/, "");
  return Object.hasOwn(SIGNALS, name) ? SIGNALS[name] : undefined;
}

/** `USR1`: the usual name of a signal, or its number where it has none. {@link parseSignal} reads it back. */
export function signalName(signal: number): string {
  return Object.keys(SIGNALS).find((name) => SIGNALS[name] === signal) ?? String(signal);
}
