// A caller's wishes in, the full set of thresholds out.

/** What a team may decide for itself; everything else follows from the statistics. */
export interface JudgeOptions {
  /** Chance of a wrong `fail` over a whole run, however often it is looked at. */
  readonly alpha?: number;
  /** Chance of a wrong `pass`. */
  readonly passAlpha?: number;
  /** Slowdown (0.05 is 5 %) that a canary may have before it can fail. */
  readonly failMargin?: number;
  /** Slowdown that a passing canary is proven not to have. */
  readonly passMargin?: number;
  /** Slowdown in seconds that nobody would notice; the larger of this and the relative margin counts. */
  readonly marginSeconds?: number;
  /** Difference in error ratio (0.005 is half a point) that a passing canary is proven not to have. */
  readonly errorPassMargin?: number;
  /** The quantile to judge where traffic allows it; otherwise the highest below it. */
  readonly tail?: (typeof ladder)[number];
  /** The canary's share of requests (0…1) that the rollout asked for. */
  readonly expectedWeight?: number;
  /** Share of requests (0.999) that the service promises to answer without error; gives the burn rates. */
  readonly slo?: number;
  /** A cell's first seconds, or first requests if those are over sooner, say nothing about latency. */
  readonly warmupSeconds?: number;
  readonly warmupRequests?: number;
  /** Traffic older than this is stale; at least three windows. */
  readonly staleSeconds?: number;
}

/** Options with every default in place; the two that have none stay absent. */
export type Settings = Required<Omit<JudgeOptions, 'expectedWeight' | 'slo'>> &
  Pick<JudgeOptions, 'expectedWeight' | 'slo'>;

/** Quantiles that may be judged, lowest first. */
export const ladder = [0.5, 0.9, 0.95, 0.99, 0.999] as const;

/** A block ends when the thinner arm has this many requests beyond the quantile. */
export const blockTail = 20;
/** Blocks before a quantile may fail a canary; the simulator finds the interval calibrated from five on. */
export const failBlocks = 8;
/** Blocks before a quantile may pass one. */
export const passBlocks = 20;
/** A quantile whose twenty blocks come within so much canary traffic is waited for, in seconds; a lower one passes only if it is slower. */
export const patienceSeconds = 1800;
/** Looks in a row that must agree before `pass` is said. */
export const passLooks = 3;
/** Passing on less than this quantile would be a promise about half of the requests. */
export const lowestPassTail = 0.9;

/**
 * How α is divided over what is judged; weights are normalised over what a run really has. Errors get the largest
 * part: an interval pays for a smaller α with the root of its logarithm, an e-process with all of it.
 */
export const alphaWeights = { tail: 0.35, median: 0.1, errors: 0.55, signal: 0.2 } as const;

/**
 * Returns `options` over the defaults.
 * @throws RangeError where a number lies outside its range.
 */
export function settingsOf(options: JudgeOptions = {}): Settings {
  for (const [name, low, high] of ranges) {
    const value = options[name];
    if (value !== undefined && !(value > low && value < high)) {
      throw new RangeError(`Expected option ${name} between ${low} and ${high}, got ${String(value)}`);
    }
  }
  if (options.tail !== undefined && !ladder.includes(options.tail)) {
    throw new RangeError(
      `Expected option tail to be one of ${ladder.join(', ')}, got ${String(options.tail)}`,
    );
  }
  return { ...defaultOptions, ...options };
}

/** What is in force where a team has not decided. */
export const defaultOptions = {
  alpha: 0.01,
  passAlpha: 0.05,
  failMargin: 0.05,
  passMargin: 0.1,
  marginSeconds: 0.015,
  errorPassMargin: 0.005,
  tail: 0.99,
  warmupSeconds: 60,
  warmupRequests: 200,
  staleSeconds: 90,
} as const;

const ranges = [
  ['alpha', 0, 0.5],
  ['passAlpha', 0, 0.5],
  ['failMargin', 0, 100],
  ['passMargin', 0, 100],
  ['marginSeconds', -1e-9, 1e6],
  ['errorPassMargin', 0, 1],
  ['expectedWeight', 0, 1],
  ['slo', 0, 1],
  ['warmupSeconds', -1e-9, 1e9],
  ['warmupRequests', -1e-9, 1e15],
  ['staleSeconds', 0, 1e9],
] as const;
