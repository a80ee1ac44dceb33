// In: who is charged with how much, charge by charge. Out: who of them is named, and who counts as "other". Pure.

/** The answer to a charge: whether its culprit is named now, and whose place it took, if so. */
export interface Admission {
  readonly isNamed: boolean;
  readonly replaced?: string;
}

/** Halves in this time, so that the heaviest of late are named, and not those of yesterday. */
const halfLifeMs = 60_000;
/** Who takes a place must weigh more than twice its holder, or two alike would change places for ever. */
const clearly = 2;
const mostRemembered = 200;

/** Names the heaviest `most` culprits of one victim. */
export const createCulprits = (most: number) => {
  const weights = new Map<string, { readonly weight: number; readonly atMs: number }>();
  const named = new Set<string>();

  const weightOf = (culprit: string, nowMs: number): number => {
    const { weight, atMs } = weights.get(culprit) ?? { weight: 0, atMs: nowMs };
    return weight * 2 ** ((atMs - nowMs) / halfLifeMs);
  };
  const lightest = (culprits: Iterable<string>, nowMs: number) =>
    [...culprits].reduce((least, one) => (weightOf(one, nowMs) < weightOf(least, nowMs) ? one : least));

  /** @param by any unit, the same for all */
  return (culprit: string, by: number, nowMs: number): Admission => {
    const weight = weightOf(culprit, nowMs) + by;
    weights.set(culprit, { weight, atMs: nowMs });
    if (named.has(culprit)) return { isNamed: true };
    if (weights.size > mostRemembered)
      weights.delete(
        lightest(
          [...weights.keys()].filter((one) => !named.has(one)),
          nowMs,
        ),
      );
    if (named.size < most) {
      named.add(culprit);
      return { isNamed: true };
    }
    const replaced = lightest(named, nowMs);
    if (weight <= clearly * weightOf(replaced, nowMs)) return { isNamed: false };
    named.delete(replaced);
    named.add(culprit);
    return { isNamed: true, replaced };
  };
};
