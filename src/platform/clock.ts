/** Time as an argument. Only this file asks the machine what time it is. */

/** Ends a pending callback; harmless when it ran already. */
export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since 1970: for records that people read. May jump. */
  now(): number;
  /** Milliseconds since some start: for durations. Never jumps. */
  monotonic(): number;
  /** Calls back once, `ms` from now; with 0 as soon as what has come up by then has had its turn. */
  after(ms: number, callback: () => void): Cancel;
}

/** Longest delay that setTimeout takes; a longer one would fire at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** So many calls that were ended are left to come to nothing: see `leavesFirst`. */
const LEFT_MAX = 8;

/**
 * The machine's clock. A pending `after` does not keep the process alive if `unref` is set.
 * @param options leavesFirst: the first few calls that are ended stay pending and come to nothing, for a process that ends by itself
 *   in a moment: what Node does to end a timer costs a command more than its answer
 */
export function realClock(options: { readonly unref?: boolean; readonly leavesFirst?: boolean } = {}): Clock {
  let leaves = options.leavesFirst === true ? LEFT_MAX : 0;
  return {
    now: () => Date.now(),
    // Not performance.now(): it loads a module that no command needs.
    monotonic: () => Number(process.hrtime.bigint() / 1000n) / 1000,
    after(ms, callback) {
      // A timer of 0 ms takes one: a loop that gives others their turn would idle for most of its time.
      if (ms <= 0) return nextTurnCall(callback, options.unref === true);
      let isEnded = false;
      let timer = startTimer(ms, Date.now() + ms);
      return () => {
        isEnded = true;
        if (leaves-- <= 0) clearTimeout(timer);
      };

      function startTimer(delay: number, due: number): NodeJS.Timeout {
        const long = delay > TIMEOUT_MS_MAX;
        const started = setTimeout(
          () => {
            if (isEnded) return;
            if (long) timer = startTimer(due - Date.now(), due);
            else callback();
          },
          long ? TIMEOUT_MS_MAX : delay,
        );
        if (options.unref) started.unref();
        return started;
      }
    },
  };
}

function nextTurnCall(callback: () => void, isUnref: boolean): Cancel {
  const immediate = setImmediate(callback);
  if (isUnref) immediate.unref();
  return () => clearImmediate(immediate);
}

/** Resolves after `ms`. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}

/** Resolves after everything that is already due to run, promises included, has run: one turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
