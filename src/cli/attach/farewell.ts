/** Warnings before a session's time is over. */

import type { Cancel, Clock } from "../../platform/clock.ts";

/** Seconds before the end at which it is told. */
const WARN_S = [600, 60, 10];

/** @param endMs milliseconds since 1970; the result takes the warnings back */
export function warnBefore(endMs: number, clock: Clock, say: (text: string) => void): Cancel {
  const leftMs = endMs - clock.now();
  const cancels = WARN_S.filter((seconds) => seconds * 1000 < leftMs).map((seconds) =>
    clock.after(leftMs - seconds * 1000, () => say(`the session's time is over in ${wordsOf(seconds)}`)),
  );
  return () => {
    for (const cancel of cancels) cancel();
  };
}

function wordsOf(seconds: number): string {
  return seconds >= 60 ? `${seconds / 60} ${seconds === 60 ? "minute" : "minutes"}` : `${seconds} seconds`;
}
