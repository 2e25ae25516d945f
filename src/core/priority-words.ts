/** Words for priorities, and the numbers that a predecessor had for them. */

/** By how much such a job is nicer than others. */
export const PRIORITY_NICE = { high: -50_000, normal: 0, low: 50_000 } as const;

export type PriorityWord = keyof typeof PRIORITY_NICE;

/** What 0, 1 and 2 stood for. */
const NUMBERED: readonly PriorityWord[] = ["high", "normal", "low"];

/** The word that a text is, or that its number 0, 1 or 2 stands for; `undefined` for anything else. */
export function priorityWord(text: string): PriorityWord | undefined {
  const word = /^[012]$/.test(text) ? NUMBERED[Number(text)] : text.toLowerCase();
  return NUMBERED.find((one) => one === word);
}
