// In: the versions of an app that have been seen. Out: which of them is the canary, and which its baseline. Pure.

/** A version in the history; times are Unix seconds. */
export interface SeenVersion {
  readonly version: string;
  readonly firstSeen: number;
  readonly requests: number;
}

export interface Arms {
  readonly canary: string;
  readonly baseline: string;
  /** What told the canary from the others; `options`: somebody who asked. */
  readonly foundBy: 'newest' | 'traffic' | 'name' | 'options';
}

/** What is seen so soon after the begin was probably there before it: its age is not known. */
const graceSeconds = 60;

/**
 * The newest version is the canary, and the one with the most requests among the others its baseline. Of versions
 * that are equally old, or were there when the history began, the one with less traffic is taken for the newest;
 * with nearly the same traffic, the one with the higher name (v10 is higher than v9).
 */
export const pickArms = (versions: readonly SeenVersion[], begin: number): Arms | undefined => {
  const age = ({ firstSeen }: SeenVersion) => Math.max(firstSeen, begin + graceSeconds);
  const newest = Math.max(...versions.map(age));
  const candidates = versions.filter((version) => age(version) === newest);
  const fewest = Math.min(...candidates.map(({ requests }) => requests));
  const quietest = candidates
    .filter(({ requests }) => requests <= 1.1 * fewest)
    .sort((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));
  const [canary] = quietest;
  const baseline = busiest(versions.filter((version) => version !== canary));
  const foundBy = candidates.length === 1 ? 'newest' : quietest.length === 1 ? 'traffic' : 'name';
  if (canary === undefined || baseline === undefined) return undefined;
  return { canary: canary.version, baseline, foundBy };
};

/** The version with the most requests; undefined without any. */
export const busiest = (versions: readonly SeenVersion[] = []): string | undefined =>
  [...versions].sort((a, b) => b.requests - a.requests)[0]?.version;
