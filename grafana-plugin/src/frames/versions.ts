// Traffic by version and what the user asked for in; who is canary and who is baseline, or why nobody is, out.
import { nobody, pickArms, type Arms, type SeenVersion } from '@plumbline/verdict';
import type { Notice } from '../model/run.ts';

export interface ChosenArms extends Arms {
  readonly others: readonly string[];
}

/**
 * Returns the arms, as the agent and the judge find them (see `pickArms`), among the versions that had requests since
 * `begin` (Unix seconds); an option that is the empty string asks for nothing.
 */
export function chooseArms(
  versions: readonly SeenVersion[],
  begin: number,
  wanted: { readonly canary: string; readonly baseline: string },
): ChosenArms | Notice {
  if (wanted.canary !== '' && wanted.canary === wanted.baseline) {
    return {
      kind: 'wrong-data',
      title: `${wanted.canary} cannot be compared with itself.`,
      text: 'Canary and baseline are set to the same version.',
      remedies: ['Choose another version in the panel options, or leave one of them empty.'],
    };
  }
  const arms = pickArms(
    versions.filter(({ requests }) => requests > 0),
    begin,
    { canary: wanted.canary || undefined, baseline: wanted.baseline || undefined },
  );
  const { canary, baseline } = arms;
  if (canary === nobody || baseline === nobody) return alone(canary === nobody ? baseline : canary);
  const others = versions
    .map(({ version }) => version)
    .filter((name) => name !== canary && name !== baseline);
  return { ...arms, others };
}

function alone(version: string): Notice {
  if (version === nobody) return noTraffic;
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
