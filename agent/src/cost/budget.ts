// In: what the probes cost, sample by sample. Out: which of them are not to run. Pure.

export interface Budget {
  /** Takes the share of one core of each running probe; returns the probes that are to be off from now on. */
  readonly observe: (shareByProbe: ReadonlyMap<string, number>) => readonly string[];
}

/** A probe that was switched off, and what it cost then; in shares of one core. */
interface Off {
  readonly probe: string;
  readonly share: number;
  /** What those cost that went on. */
  readonly rest: number;
}

/** So many samples in a row over budget: one burst is none. */
const samplesOver = 2;
/** So many in a row quiet enough for a probe to come back. */
const samplesQuiet = 10;
/** Quiet enough is when all would then take at most this part of the budget. */
const quietPart = 0.8;

/**
 * Over budget, probes go in `order` until the rest is within it; they come back one by one, the last first. What a probe
 * would cost now is what it did, in the proportion in which the others have changed.
 *
 * @param most share of one core for all probes together
 * @param order the probes that may be switched off
 */
export const createBudget = (most: number, order: readonly string[]): Budget => {
  let off: readonly Off[] = [];
  let over = 0;
  let quiet = 0;
  return {
    observe: (shareByProbe) => {
      const total = [...shareByProbe.values()].reduce((sum, share) => sum + share, 0);
      const latest = off.at(-1);
      over = total > most ? over + 1 : 0;
      quiet = latest !== undefined && total + expected(latest, total) <= quietPart * most ? quiet + 1 : 0;
      if (over === samplesOver) {
        over = 0;
        off = [...off, ...overBudget(shareByProbe, total, most, order)];
      } else if (quiet === samplesQuiet) {
        quiet = 0;
        off = off.slice(0, -1);
      }
      return off.map(({ probe }) => probe);
    },
  };
};

const overBudget = (
  shareByProbe: ReadonlyMap<string, number>,
  total: number,
  most: number,
  order: readonly string[],
): readonly Off[] => {
  const off: Off[] = [];
  let rest = total;
  for (const probe of order) {
    const share = shareByProbe.get(probe);
    if (share === undefined || rest <= most) continue;
    rest -= share;
    off.push({ probe, share, rest });
  }
  return off;
};

const expected = ({ share, rest }: Off, now: number): number => (rest > 0 ? (share * now) / rest : share);
