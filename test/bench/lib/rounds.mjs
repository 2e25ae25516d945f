/**
 * Runs cases in turns: each round runs every case once, so that what else happens on the machine hits all alike. Every
 * other round goes backwards, so that no case always comes after the same one. A first round is for warming up.
 */

import { performance } from "node:perf_hooks";

/** Fewer rounds than this say nothing, however slow the machine is. */
const ROUNDS_MIN = 3;

/**
 * @template T
 * @typedef {object} Case
 * @property {string} name
 * @property {() => Promise<T>} run
 */

/**
 * @template T
 * @param {readonly Case<T>[]} cases
 * @param {{rounds: number, budgetMs: number, warmUp?: boolean}} limits no further round begins once the budget is spent
 * @returns {Promise<Map<string, T[]>>} the samples of each case
 */
export async function interleave(cases, { rounds, budgetMs, warmUp = true }) {
  const samples = new Map(cases.map(({ name }) => [name, []]));
  if (warmUp) for (const one of cases) await one.run();
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (round >= Math.min(ROUNDS_MIN, rounds) && performance.now() - start > budgetMs) break;
    const order = round % 2 === 0 ? cases : [...cases].reverse();
    for (const one of order) samples.get(one.name)?.push(await one.run());
  }
  return samples;
}
