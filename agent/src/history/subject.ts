// In: what a client said, and the apps that were seen. Out: what is compared, with a message where there is nothing.
import { pickArms, type Arms } from '@plumbline/verdict';
import type { SeenApp, SeenApps, Subject } from './input.ts';
import { QueryError, type Parameters } from './query.ts';

/**
 * Fills in what was not said. An arm that cannot be found has no traffic, and gets a message.
 *
 * @throws QueryError when several namespaces have the app and none was named
 */
export const findSubject = (
  { apps, begin }: SeenApps,
  { app, namespace, canary, baseline }: Parameters,
): Subject & { readonly message: string | undefined } => {
  const named = apps.filter((one) => one.app === app && (namespace ?? one.namespace) === one.namespace);
  if (named.length > 1)
    throw new QueryError(
      `Expected namespace, since several have this app: ${named.map((one) => one.namespace).join(', ')}`,
    );
  const [seen] = named;
  const arms = pickArms(seen?.versions ?? [], begin, { canary, baseline });
  return {
    app,
    namespace: seen?.namespace ?? namespace ?? null,
    ...arms,
    message: seen === undefined ? unknownApp(apps) : unknownArms(seen, arms),
  };
};

const unknownApp = (apps: readonly SeenApp[]): string =>
  `This node has seen no request of such an app lately. It has seen: ${list(apps.map(({ app }) => app))}.`;

const unknownArms = ({ versions }: SeenApp, arms: Arms): string | undefined => {
  const seen = versions.map(({ version }) => version);
  const missing = (['canary', 'baseline'] as const).filter((arm) => !seen.includes(arms[arm]));
  return missing.length === 0
    ? undefined
    : `This node has seen no request of the ${missing.join(' or the ')} lately. Versions that it has seen: ${list(seen)}.`;
};

const list = (names: readonly string[]) => (names.length === 0 ? 'none' : names.slice(0, 20).join(', '));
