// Traffic by version and what the user asked for in; who is canary and who is baseline, or why nobody is, out.
import type { FoundBy, Notice } from '../model/run.ts';

/** What is known of a version: its requests, and when it was first seen (Unix seconds). */
export interface VersionTraffic {
  readonly version: string;
  readonly requests: number;
  readonly firstSeen: number;
}

export interface Arms {
  readonly canary: string;
  readonly baseline: string;
  readonly foundBy: FoundBy;
  readonly others: readonly string[];
}

/**
 * Returns the arms. What is asked for wins, even if it is not there; otherwise the two versions with most traffic,
 * of which the canary is the one that was seen first later, or whose name counts higher (v1.10 after v1.9), or which
 * has less traffic.
 */
export function chooseArms(
  versions: readonly VersionTraffic[],
  wanted: { readonly canary: string; readonly baseline: string },
): Arms | Notice {
  const names = versions.map(({ version }) => version);
  const othersThan = (...arms: readonly string[]): readonly string[] =>
    names.filter((name) => !arms.includes(name));
  if (wanted.canary !== '' && wanted.canary === wanted.baseline) {
    return {
      kind: 'wrong-data',
      title: `${wanted.canary} cannot be compared with itself.`,
      text: 'Canary and baseline are set to the same version.',
      remedies: ['Choose another version in the panel options, or leave one of them empty.'],
    };
  }
  if (wanted.canary !== '' && wanted.baseline !== '') {
    return { ...wanted, foundBy: 'options', others: othersThan(wanted.canary, wanted.baseline) };
  }
  const fixed = wanted.canary || wanted.baseline;
  const byTraffic = versions
    .filter(({ version, requests }) => requests > 0 && version !== fixed)
    .sort((a, b) => b.requests - a.requests);
  const [first, second] = byTraffic;
  if (fixed !== '' && first) {
    const arms =
      wanted.canary === ''
        ? { canary: first.version, baseline: fixed }
        : { canary: fixed, baseline: first.version };
    return { ...arms, foundBy: 'traffic', others: othersThan(arms.canary, arms.baseline) };
  }
  if (!first || !second) return alone(fixed || first?.version);
  const { newer, foundBy } = newerOf(first, second);
  const arms = { canary: newer.version, baseline: (newer === first ? second : first).version };
  return { ...arms, foundBy, others: othersThan(arms.canary, arms.baseline) };
}

/** Versions that came within this time are taken as having been there together. */
const togetherSeconds = 60;

function newerOf(a: VersionTraffic, b: VersionTraffic): { newer: VersionTraffic; foundBy: FoundBy } {
  if (Math.abs(a.firstSeen - b.firstSeen) > togetherSeconds) {
    return { newer: a.firstSeen > b.firstSeen ? a : b, foundBy: 'newest' };
  }
  const order = compareNumbers(a.version, b.version);
  if (order !== 0) return { newer: order > 0 ? a : b, foundBy: 'name' };
  return { newer: a.requests < b.requests ? a : b, foundBy: 'traffic' };
}

/** Compares names that count, such as v1.9 and v1.10; 0 for all others, hashes among them. */
function compareNumbers(a: string, b: string): number {
  const counting = /^v?\d+(?:[.\-_]\d+)*$/i;
  if (!counting.test(a) || !counting.test(b)) return 0;
  return a.replace(/^v/i, '').localeCompare(b.replace(/^v/i, ''), 'en', { numeric: true });
}

function alone(version: string | undefined): Notice {
  if (version === undefined) return noTraffic;
  return {
    kind: 'single-version',
    title: `Only ${version} has traffic.`,
    text: 'There is nothing to compare it with in this time range.',
    remedies: [
      'Wait for the rollout to send traffic to a second version.',
      'Widen the time range, if the rollout is over.',
      'Set canary and baseline in the panel options, if the versions have other names.',
    ],
  };
}

/** No version has answered a request. */
export const noTraffic: Notice = {
  kind: 'empty',
  title: 'No requests in this time range.',
  text: 'The queries were answered, but no version of this app answered a request.',
  remedies: [
    'Widen the time range.',
    'Check the variables for namespace and app.',
    'Check that the agent runs on the nodes of this app: up{job="plumbline"}.',
  ],
};
