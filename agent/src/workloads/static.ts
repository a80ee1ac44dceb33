// In: the rules of the static table; out: a source that names the cgroups their globs match.
import { compileGlob, expand } from './glob.ts';
import type { StaticRule } from './schema.ts';
import type { Source } from './source.ts';
import type { Workload } from './workload.ts';

/** Returns the static table as a source: of the rules that match a path, the first one names it. */
export const createStaticSource = (rules: readonly StaticRule[]): Source => {
  const compiled = rules.map((rule) => ({ rule, glob: compileGlob(rule.cgroup) }));
  return {
    name: 'static',
    workloadAt: (path) => {
      for (const { rule, glob } of compiled) {
        const captures = glob.match(path);
        if (captures !== undefined) return label(rule, captures);
      }
      return undefined;
    },
    refresh: () => Promise.resolve(false),
    state: () => undefined,
  };
};

// A capture may be empty (`**` at the root); an empty label is none at all to Prometheus.
const label = ({ namespace, app, version }: StaticRule, captures: readonly string[]): Workload => ({
  namespace: expand(namespace, captures) || 'unknown',
  app: expand(app, captures) || 'unknown',
  version: expand(version, captures) || 'unknown',
});
