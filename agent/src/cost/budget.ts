// In: what the probes cost, sample by sample. Out: which of them are not to run. Pure.

/** What a sample says of the node. */
export interface Load {
  /** Share of one core that each running probe takes. */
  readonly shareByProbe: ReadonlyMap<string, number>;
  /** Of threads, on all CPUs: how busy the node is, whichever probes run. */
  readonly switchesPerSecond: number;
}

export interface Budget {
  /** Takes a sample, and the probes that are off; returns those that are to be off from now on. */
  readonly observe: (load: Load, off: readonly string[]) => readonly string[];
}

/** So many samples in a row over budget: one burst is none. */
const samplesOver = 2;
/** So many in a row quiet enough for a probe to come back: at first, and at most. */
const samplesQuiet = { least: 10, most: 240 };
/** Quiet enough is when all would then take at most this part of the budget. */
const quietPart = 0.8;
/** Whatever takes less than this part of the budget stays: without it, nothing would be gained. */
const leastPart = 0.05;

/**
 * Over budget, probes go in `order` until the rest is within it; they come back one by one, the last first. What a probe
 * would cost now is what it did, in proportion to the switches of threads. A switch costs seconds of CPU time itself, to
 * compile the programs: when a probe goes again soon after it came back, the next time it waits twice as long.
 *
 * @param most share of one core for all probes together
 * @param order the probes that may be switched off
 */
export const createBudget = (most: number, order: readonly string[]): Budget => {
  const loads = new Map<string, Load>();
  let over = 0;
  let quiet = 0;
  let neededQuiet = samplesQuiet.least;
  let sinceReturn = Infinity;

  const costNow = (probe: string, { switchesPerSecond }: Load): number => {
    const then = loads.get(probe);
    if (then === undefined) return 0;
    return ((then.shareByProbe.get(probe) ?? 0) * switchesPerSecond) / then.switchesPerSecond;
  };

  const comeBack = (load: Load, total: number, off: readonly string[]): readonly string[] => {
    const next = order.findLast((probe) => off.includes(probe));
    const isQuiet = next !== undefined && total + costNow(next, load) <= quietPart * most;
    quiet = isQuiet ? quiet + 1 : 0;
    if (quiet < neededQuiet) return off;
    quiet = 0;
    sinceReturn = 0;
    return off.filter((probe) => probe !== next);
  };

  const switchOff = (load: Load, total: number, off: readonly string[]): readonly string[] => {
    over = 0;
    let rest = total;
    const gone = order.filter((probe) => {
      const share = load.shareByProbe.get(probe) ?? 0;
      if (off.includes(probe) || rest <= most || share < leastPart * most) return false;
      rest -= share;
      return true;
    });
    if (gone.length === 0) return off;
    for (const probe of gone) loads.set(probe, load);
    neededQuiet =
      sinceReturn < 2 * neededQuiet ? Math.min(2 * neededQuiet, samplesQuiet.most) : samplesQuiet.least;
    return [...off, ...gone];
  };

  return {
    observe: (load, off) => {
      const total = [...load.shareByProbe.values()].reduce((sum, share) => sum + share, 0);
      sinceReturn++;
      over = total > most ? over + 1 : 0;
      if (over > 0) quiet = 0;
      return over < samplesOver ? comeBack(load, total, off) : switchOff(load, total, off);
    },
  };
};
