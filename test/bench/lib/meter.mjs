/** Runs programs one at a time and measures them, through meter.py, which says why it is needed. */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { throwIfInterrupted } from "./interrupt.mjs";

/** Longest that one measured program may take. */
const TIMEOUT_S = 60;

/**
 * @typedef {object} Command
 * @property {readonly string[]} argv the first is an absolute path
 * @property {Readonly<Record<string, string>>} env
 * @property {string} [stdout] `null` (the default), `pipe`, `keep`, or a file's path
 * @property {number} [exit] the expected exit code, 0 if not given
 *
 * @typedef {object} Measured
 * @property {number} code
 * @property {number} wallMs
 * @property {number} cpuMs user and system time, of waited-for children too
 * @property {number} rssMiB
 * @property {string} stderr its beginning, if the program failed
 * @property {number} [firstLineMs]
 * @property {number} [lastLineMs]
 * @property {number} [bytes]
 * @property {number} [lines]
 * @property {string} [stdout]
 */

export class Meter {
  #child;
  #answers;

  /** @param {string} folder the working folder of all that is measured */
  constructor(folder) {
    this.#child = spawn("python3", [join(import.meta.dirname, "meter.py")], {
      cwd: folder,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.once("error", (error) => this.#fail(`python3 is needed to measure CPU time: ${error.message}`));
    this.#child.stdin.on("error", () => {});
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  #problem = "the meter ended";

  #fail(problem) {
    this.#problem = problem;
  }

  /**
   * Runs a program to its end. One at a time.
   * @param {Command} command
   * @returns {Promise<Measured>}
   */
  async run({ argv, env, stdout = "null", exit = 0 }) {
    throwIfInterrupted();
    this.#child.stdin.write(`${JSON.stringify({ argv, env, stdout, timeoutS: TIMEOUT_S })}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(this.#problem);
    const measured = JSON.parse(value);
    if (measured.code !== exit) {
      throw new Error(`${argv.join(" ")} ended with ${measured.code}, expected ${exit}: ${measured.stderr}`);
    }
    return measured;
  }

  close() {
    this.#child.stdin.end();
  }
}
