// Sorted answers and the arms in; the windows of a run, each with the cells that can be trusted, out.
import type { Arms, Buckets, SeenVersion } from '@plumbline/verdict';
import { formatCulprit } from '../model/format.ts';
import type { Blame, RunWindow } from '../model/run.ts';
import { histogramsOf } from './buckets.ts';
import { cellReader } from './cells.ts';
import type { Parts } from './cells.ts';
import { counted, fallen, increasesOf, NoCounterError } from './counters.ts';
import type { Increases } from './counters.ts';
import type { Answers, Wanted } from './observe.ts';
import type { Role } from './roles.ts';
import { copyValues, stepOf } from './series.ts';
import type { Labels, Series } from './series.ts';
import { signalsReader } from './signals.ts';

/** One of the roles that everything rests on cannot be used. */
export class CoreRoleError extends Error {
  override readonly name = 'CoreRoleError';
  readonly role: Role;

  constructor(role: Role, cause: NoCounterError) {
    super(cause.message, { cause });
    this.role = role;
  }
}

/**
 * Returns the versions that the answers show, with their requests.
 * @throws CoreRoleError where requests or durations are no running totals.
 */
export function trafficOf(
  answers: Answers,
  requests: readonly Series[],
  times: readonly number[],
): readonly SeenVersion[] {
  const { durations } = answers;
  const [role, series] =
    requests.length > 0
      ? (['requests', requests] as const)
      : (['durations', totalBuckets(durations.series)] as const);
  const given = [...answers.quantiles.values()].flat();
  if (series.length === 0) {
    return [...new Set(given.map(({ labels: { version = '' } }) => version))].map((version) => ({
      version,
      requests: 1,
      firstSeen: 0,
    }));
  }
  const groups = core(role, () =>
    increasesOf(series, groupName, ({ code = '', le = '' }) => `${code}\0${le}`, times, true),
  );
  const byVersion = new Map<string, { requests: number; firstSeen: number }>();
  for (const [group, { byKey, state }] of groups) {
    const [version = ''] = group.split('\0');
    const traffic = byVersion.get(version) ?? { requests: 0, firstSeen: Infinity };
    byVersion.set(version, traffic);
    const first = state.indexOf(counted);
    if (first >= 0) traffic.firstSeen = Math.min(traffic.firstSeen, times[first - 1] ?? 0);
    for (const increases of byKey.values()) {
      for (let i = 0; i < increases.length; i++)
        if (state[i] === counted) traffic.requests += increases[i] ?? 0;
    }
  }
  return [...byVersion].map(([version, traffic]) => ({ version, ...traffic }));
}

interface Sources {
  readonly answers: Answers;
  readonly requests: readonly Series[];
  readonly times: readonly number[];
  readonly arms: Arms;
  readonly buckets: Buckets | undefined;
  readonly usesNet: boolean;
  readonly wanted: Wanted;
  readonly remarks: string[];
}

/**
 * Returns the windows between the moments, and whom the nodes' wait is blamed on.
 * @throws CoreRoleError where requests or durations are no running totals.
 */
export function readWindows(sources: Sources): {
  readonly windows: readonly RunWindow[];
  readonly blame: readonly Blame[];
} {
  const { answers, requests, times, arms, buckets, usesNet, remarks } = sources;
  const armOf = ({ version }: Labels): 'canary' | 'baseline' | undefined =>
    version === arms.canary ? 'canary' : version === arms.baseline ? 'baseline' : undefined;
  const groupOf = (labels: Labels): string | undefined => {
    const arm = armOf(labels);
    return arm && `${arm}\0${labels.node ?? ''}`;
  };
  const counters = (role: Role): ReadonlyMap<string, Increases> =>
    optional(role, remarks, () => increasesOf(answers.series(role), groupOf, () => '', times, false));
  const gauges = (role: Role): ReadonlyMap<string, Float64Array> =>
    new Map(
      answers.series(role).flatMap((series) => {
        const group = groupOf(series.labels);
        if (group === undefined) return [];
        const values = new Float64Array(times.length);
        copyValues(series, times, values);
        return [[group, values] as const];
      }),
    );
  const parts: Parts = {
    requests: core('requests', () => increasesOf(requests, groupOf, ({ code = '' }) => code, times, true)),
    durations: buckets
      ? core('durations', () => histogramsOf(answers.durations, buckets, groupOf, times))
      : new Map(),
    net:
      buckets && usesNet
        ? optional('net', remarks, () => histogramsOf(answers.net, buckets, groupOf, times))
        : new Map(),
    waits: optional('blame', remarks, () =>
      increasesOf(answers.series('blame'), groupOf, culpritKey, times, false),
    ),
    isOwn: sources.wanted.app === '' ? undefined : ownIn(sources),
    delay: counters('delay'),
    stolen: counters('stolen'),
    throttled: counters('throttled'),
    pressure: counters('pressure'),
    cpu: counters('cpu'),
    retransmits: counters('retransmits'),
    failures: counters('failures'),
    runqueue: gauges('runqueue'),
    memory: gauges('memory'),
  };
  const signals = optionalSignals(sources, groupOf);
  const step = stepOf(times);
  const groups = [...new Set([...parts.requests.keys(), ...parts.durations.keys()])].sort();
  const readers = groups.map((group) => cellReader(group, step, parts));
  const windows: RunWindow[] = [];
  let holes = 0;
  for (let i = 1; i < times.length; i++) {
    const end = times[i] ?? 0;
    // What happened in a hole is not known to belong to any moment in it.
    const isHole = end - (times[i - 1] ?? 0) > 1.5 * step;
    const cells = isHole ? [] : readers.map((read) => read(i)).filter((cell) => cell !== undefined);
    if (cells.length === 0) holes += 1;
    else {
      const found = signals(i);
      windows.push({ end, cells, ...(found.length > 0 ? { signals: found } : {}) });
    }
  }
  remarkLost(parts, groups, holes, step, remarks);
  return { windows, blame: blameOf(parts) };
}

function optionalSignals(
  { answers, wanted, times, remarks }: Sources,
  groupOf: (labels: Labels) => string | undefined,
): ReturnType<typeof signalsReader> {
  const higher = new Set(wanted.higherIsBetter.split(',').map((name) => name.trim()));
  try {
    return signalsReader(answers.signals, higher, groupOf, times, remarks);
  } catch (error) {
    if (!(error instanceof NoCounterError)) throw error;
    remarks.push(`Signals were left out: a query of theirs does not give running totals (${error.message}).`);
    return () => [];
  }
}

function blameOf({ waits }: Parts): readonly Blame[] {
  return [...waits].flatMap(([group, { byKey, state }]) => {
    const [arm = '', node = ''] = group.split('\0');
    return [...byKey].map(([culprit, increases]) => ({
      arm: arm as Blame['arm'],
      node,
      culprit: formatCulprit(...partsOf(culprit)),
      seconds: increases.reduce((sum, increase, i) => sum + (state[i] === counted ? increase : 0), 0),
    }));
  });
}

/** What the agent has no name for is unknown in all three. */
function culpritKey({ culprit_namespace = '', culprit_app = '', culprit_version = '' }: Labels): string {
  return [culprit_namespace, culprit_app || 'other', culprit_version].join('\0');
}

function partsOf(culprit: string): readonly [namespace: string, app: string, version: string] {
  const [namespace = '', app = '', version = ''] = culprit.split('\0');
  return [namespace, app, version];
}

/** The queries name the app once, in their selector: the panel's option repeats it. */
function ownIn({ wanted, arms }: Sources): NonNullable<Parts['isOwn']> {
  return (culprit, group) => {
    const [, app, version] = partsOf(culprit);
    const own = group.startsWith('canary\0') ? arms.canary : arms.baseline;
    return app === wanted.app && version === own;
  };
}

function remarkLost(
  { requests, durations }: Parts,
  groups: readonly string[],
  holes: number,
  step: number,
  remarks: string[],
): void {
  let resets = 0;
  const nodes = new Set<string>();
  for (const group of groups) {
    const fell = Math.max(countFalls(requests.get(group)?.state), countFalls(durations.get(group)?.state));
    resets += fell;
    if (fell > 0) nodes.add(group.split('\0')[1] ?? '');
  }
  if (resets > 0) {
    remarks.push(
      `Counters were reset on ${[...nodes].join(', ')}, as when an agent or pod restarts: ${resets} windows of a version on a node were left out.`,
    );
  }
  if (holes > 0) {
    remarks.push(`${holes} of the windows (${Math.round(holes * step)} s) have no data and were left out.`);
  }
}

function countFalls(state: Uint8Array | undefined): number {
  return state?.reduce((sum, one) => sum + (one === fallen ? 1 : 0), 0) ?? 0;
}

function core<Result>(role: Role, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof NoCounterError ? new CoreRoleError(role, error) : error;
  }
}

function optional<Value>(
  role: Role,
  remarks: string[],
  read: () => ReadonlyMap<string, Value>,
): ReadonlyMap<string, Value> {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NoCounterError)) throw error;
    remarks.push(`The query "${role}" was left out: it does not give running totals (${error.message}).`);
    return new Map();
  }
}

function groupName({ version = '', node = '' }: Labels): string {
  return `${version}\0${node}`;
}

/** Of classic buckets the one that holds all, where there is one. */
function totalBuckets(series: readonly Series[]): readonly Series[] {
  const totals = series.filter(({ labels: { le } }) => le === '+Inf' || le === 'Inf');
  return totals.length > 0 ? totals : series;
}
