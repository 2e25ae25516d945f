/**
 * How long jobs are likely to run: as long as the last two of their user did on average, but no longer than their limit.
 * Source of the rule: Tsafrir, Etsion, Feitelson, "Backfilling Using System-Generated Predictions", TPDS 2007.
 */

/** Users that are remembered; who has not been seen for longest is forgotten first. */
const USERS_MAX = 10_000;

export interface Predictor {
  /** A user's job (by number or name) has run for so many seconds. */
  note(user: string | number, ranS: number): void;
  /** Seconds; `null` for a user of whom no job is known. @param limitS the most, 0 for no limit */
  predictS(user: string | number, limitS: number): number | null;
}

/** Knows nobody yet. */
export function createPredictor(): Predictor {
  const last = new Map<string | number, readonly [number] | readonly [number, number]>();
  return {
    note(user, ranS) {
      const before = last.get(user);
      last.delete(user);
      last.set(user, before ? [before.at(-1) ?? ranS, ranS] : [ranS]);
      if (last.size <= USERS_MAX) return;
      for (const oldest of last.keys()) {
        last.delete(oldest);
        break;
      }
    },
    predictS(user, limitS) {
      const known = last.get(user);
      if (!known) return null;
      const [one, other = one] = known;
      const mean = (one + other) / 2;
      return limitS > 0 ? Math.min(mean, limitS) : mean;
    },
  };
}
