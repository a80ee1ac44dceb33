// The versions of an app that have been seen, and what somebody asked for, in; which is the canary and which its baseline out.

/** A version that had requests; `firstSeen` in Unix seconds. */
export interface SeenVersion {
  readonly version: string;
  readonly firstSeen: number;
  readonly requests: number;
}

/** Stands for a version that nobody named and that is not there. */
export const nobody = '(none)';

/** What is compared. */
export interface Arms {
  readonly canary: string;
  readonly baseline: string;
  /** What told the canary from the others; `options`: somebody who asked. */
  readonly foundBy: 'options' | 'newest' | 'name' | 'traffic';
}

/** What is seen so soon after the begin was probably there before it: its age is not known. */
const graceSeconds = 60;

/**
 * Returns the arms of versions seen since `begin` (Unix seconds). What is asked for wins, even if it was not seen. Otherwise
 * the newest version is the canary, if there is another, and the one with the most requests among the others its baseline.
 * Of versions that are equally old, or were there at the begin, the one whose name counts highest is taken for the newest
 * (v1.10 is higher than v1.9), and where names do not count, as hashes do not, the one with less traffic.
 */
export function pickArms(
  versions: readonly SeenVersion[],
  begin: number,
  wanted: { readonly canary?: string | undefined; readonly baseline?: string | undefined } = {},
): Arms {
  const isAsked = wanted.canary !== undefined || wanted.baseline !== undefined;
  const left = versions.filter(({ version }) => version !== wanted.baseline);
  const newest = isAsked || versions.length > 1 ? newestOf(left, begin) : undefined;
  const canary = wanted.canary ?? newest?.version ?? nobody;
  const [busiest] = versions
    .filter(({ version }) => version !== canary)
    .sort((a, b) => b.requests - a.requests);
  return {
    canary,
    baseline: wanted.baseline ?? busiest?.version ?? nobody,
    foundBy: isAsked ? 'options' : (newest?.foundBy ?? 'traffic'),
  };
}

function newestOf(
  versions: readonly SeenVersion[],
  begin: number,
): { readonly version: string; readonly foundBy: Arms['foundBy'] } | undefined {
  const age = ({ firstSeen }: SeenVersion): number => Math.max(firstSeen, begin + graceSeconds);
  const latest = Math.max(...versions.map(age));
  const candidates = versions.filter((version) => age(version) === latest);
  const byName = candidates.every(({ version }) => counting.test(version));
  const [first] = candidates.sort((a, b) => (byName ? compareNames(b, a) : a.requests - b.requests));
  const foundBy = candidates.length === 1 ? 'newest' : byName ? 'name' : 'traffic';
  return first && { version: first.version, foundBy };
}

const counting = /^v?\d+(?:[.\-_]\d+)*$/i;

function compareNames(a: SeenVersion, b: SeenVersion): number {
  const numbers = ({ version }: SeenVersion): string => version.replace(/^v/i, '');
  return numbers(a).localeCompare(numbers(b), 'en', { numeric: true });
}
