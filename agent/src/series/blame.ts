// In: growth of a counter whose key names a culprit. Out: series by victim and culprit; the lesser ones as "other".
import { unknownWorkload, type Workload } from '../workloads/workload.ts';
import { createCulprits } from './culprits.ts';
import { workloadKey, type CounterMetric } from './store.ts';

const mostCulprits = 10;
/** So many take no memory to speak of. */
const fewVictims = 64;
const bare = { namespace: '', version: '' };
/** Threads of the kernel have no cgroup of interest: the probe gives them id 0. */
const kernelId = '0';
const kernel: Workload = { ...bare, app: 'kernel' };
const other: Workload = { ...bare, app: 'other' };

/** Adds to the series of victim and culprit; the culprit's cgroup id stands behind the victim's. */
export const createBlame = ({ definition, series }: CounterMetric, now: () => number) => {
  const admitByVictim = new Map<string, ReturnType<typeof createCulprits>>();
  let mostVictims = fewVictims;

  /** Forgets victims whose series have been evicted, when they may be half of all. */
  const forgetGone = () => {
    if (admitByVictim.size < mostVictims) return;
    const living = new Set([...series.values()].map(({ workload }) => workloadKey(workload)));
    for (const victim of admitByVictim.keys()) if (!living.has(victim)) admitByVictim.delete(victim);
    mostVictims = Math.max(fewVictims, 2 * admitByVictim.size);
  };

  const find = (victim: Workload, culprit: Workload) => {
    const id = seriesId(workloadKey(victim), workloadKey(culprit));
    const known = series.get(id);
    if (known !== undefined) return known;
    const { namespace, app, version } = victim;
    const created = {
      workload: victim,
      culprit,
      labels: {
        ...{ namespace, app, version, ...definition.labels },
        ...{
          culprit_namespace: culprit.namespace,
          culprit_app: culprit.app,
          culprit_version: culprit.version,
        },
      },
      value: 0,
      createdMs: now(),
    };
    series.set(id, created);
    return created;
  };

  return (
    victim: Workload,
    culpritId: string,
    by: number,
    workloadOf: (cgroupId: string) => Workload = () => unknownWorkload,
  ): void => {
    const culprit = culpritId === kernelId ? kernel : workloadOf(culpritId);
    const victimKey = workloadKey(victim);
    const admit = admitByVictim.get(victimKey) ?? createCulprits(mostCulprits);
    forgetGone();
    admitByVictim.set(victimKey, admit);
    const { isNamed, replaced } = admit(workloadKey(culprit), by, now());
    if (replaced !== undefined) series.delete(seriesId(victimKey, replaced));
    find(victim, isNamed ? culprit : other).value += by * definition.scale;
  };
};

const seriesId = (victimKey: string, culpritKey: string) => `${victimKey}\0${culpritKey}`;
