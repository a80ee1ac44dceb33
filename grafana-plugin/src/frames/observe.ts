// The answers to the panel's queries in; a run that can be judged, or what is wrong with them, out. Pure.
import type { DataFrame } from '@grafana/data';
import type { Notice, Observed, QuantileSeries, Run } from '../model/run.ts';
import { bucketSeries, sharedBuckets } from './buckets.ts';
import type { BucketSeries } from './histograms.ts';
import { checkAnswers, checkSize, disagreement, noQueries, notCounters, severalApps } from './faults.ts';
import { meaningOf, parseAssigned } from './roles.ts';
import type { Role } from './roles.ts';
import { createClock, seriesOf, sharedTimes, stepOf, timesOf } from './series.ts';
import type { Series } from './series.ts';
import type { SignalQuery } from './signals.ts';
import { chooseArms, noTraffic } from './versions.ts';
import type { ChosenArms } from './versions.ts';
import { CoreRoleError, readWindows, trafficOf } from './windows.ts';

/** What the panel's user asked for; empty strings are found from the data. */
export interface Wanted {
  readonly app: string;
  readonly canary: string;
  readonly baseline: string;
  /** As in the options: `A=durations, B=requests`. */
  readonly roles: string;
  /** Names of signals of which more is better, separated by commas. */
  readonly higherIsBetter: string;
  /** The refIds of the queries, also of those that were answered by nothing. */
  readonly asked: readonly string[];
  /** Unix seconds at which the question is asked. */
  readonly now: number;
}

/** Answers sorted by what they are for. */
export interface Answers {
  readonly frames: ReadonlyMap<Role, readonly DataFrame[]>;
  readonly durations: BucketSeries;
  readonly net: BucketSeries;
  /** All other roles. */
  readonly series: (role: Role) => readonly Series[];
  readonly quantiles: ReadonlyMap<number, readonly Series[]>;
  readonly signals: readonly SignalQuery[];
  readonly unknown: readonly string[];
  readonly isAsked: boolean;
}

/** Returns what the frames say. Never throws: whatever is wrong is a notice or a remark. */
export function observe(frames: readonly DataFrame[], wanted: Wanted): Observed {
  const remarks: string[] = [];
  const tooMany = checkSize(frames);
  if (tooMany) return { notice: tooMany, remarks };
  const answers = sortAnswers(frames, wanted);
  if (!answers.isAsked) return { notice: noQueries(answers.unknown), remarks };
  if (answers.unknown.length > 0) {
    remarks.push(`Left out, since their refId is no role: ${answers.unknown.join(', ')}.`);
  }
  const fault = checkAnswers(answers);
  if (fault) return { notice: fault, remarks };
  try {
    return { ...runOf(answers, wanted, remarks), remarks };
  } catch (error) {
    if (error instanceof CoreRoleError) return { notice: notCounters(error.role, error.message), remarks };
    throw error;
  }
}

function sortAnswers(frames: readonly DataFrame[], wanted: Wanted): Answers {
  const assigned = parseAssigned(wanted.roles);
  const byRefId = new Map<string, DataFrame[]>();
  for (const frame of frames) listAt(byRefId, frame.refId ?? '').push(frame);
  const byRole = new Map<Role, DataFrame[]>();
  const quantiles = new Map<number, readonly Series[]>();
  const signals: SignalQuery[] = [];
  const unknown: string[] = [];
  const clock = createClock();
  let isAsked = false;
  for (const refId of new Set([...wanted.asked, ...byRefId.keys()])) {
    const meaning = meaningOf(refId, assigned);
    const own = byRefId.get(refId) ?? [];
    if (meaning) isAsked = true;
    if (!meaning) unknown.push(refId);
    else if (meaning.kind === 'role') byRole.set(meaning.role, (byRole.get(meaning.role) ?? []).concat(own));
    else if (meaning.kind === 'quantile') quantiles.set(meaning.p, seriesOf(own, clock));
    else signals.push({ name: meaning.name, part: meaning.part, series: seriesOf(own, clock) });
  }
  return {
    frames: byRole,
    durations: bucketSeries(byRole.get('durations') ?? [], clock),
    net: bucketSeries(byRole.get('net') ?? [], clock),
    series: (role) => seriesOf(byRole.get(role) ?? [], clock),
    quantiles,
    signals,
    unknown,
    isAsked,
  };
}

function listAt<Key, Item>(lists: Map<Key, Item[]>, key: Key): Item[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function runOf(answers: Answers, wanted: Wanted, remarks: string[]): { run: Run } | { notice: Notice } {
  const { durations, net } = answers;
  const requests = answers.series('requests');
  const given = [...answers.quantiles.values()].flat();
  const apps = appsOf(durations.series, requests, given);
  if (apps.length > 1) return { notice: severalApps(apps) };
  if (durations.wrongLe > 0) {
    remarks.push(`${durations.wrongLe} series of "durations" were left out: their label le is no number.`);
  }
  const times = momentsOf(answers, requests, remarks);
  if ('title' in times) return { notice: times };
  const arms = chooseArms(trafficOf(answers, requests, times), times[0] ?? 0, wanted);
  if ('title' in arms) return { notice: arms };
  remarkAbsent(arms, remarks);
  const usesNet = net.series.length > 0 && sharedTimes(times, timesOf(net.series)).length === times.length;
  const buckets = sharedBuckets(usesNet ? [durations, net] : [durations]);
  if (durations.series.length > 0 && !buckets) {
    remarks.push('The versions have no bucket bounds in common, so durations cannot be compared.');
  }
  const { windows, blame } = readWindows({
    answers,
    requests,
    times,
    arms,
    buckets,
    usesNet,
    wanted,
    remarks,
  });
  const step = stepOf(times);
  const last = windows.at(-1)?.end ?? 0;
  const run: Run = {
    app: wanted.app === '' ? (apps[0] ?? 'app') : wanted.app,
    canary: arms.canary,
    baseline: arms.baseline,
    foundBy: arms.foundBy,
    otherVersions: arms.others,
    errorsKnown: requests.length > 0,
    buckets: buckets ?? { schema: 3 },
    windowSeconds: Number.isFinite(step) ? step : 15,
    now: Math.max(wanted.now, last),
    windows,
    blame,
    quantiles: quantilesOf(answers, arms),
  };
  return { run };
}

/** The moments between which windows lie: those that all of the judged roles have. */
function momentsOf(
  { durations, net, quantiles }: Answers,
  requests: readonly Series[],
  remarks: string[],
): readonly number[] | Notice {
  const ofDurations = timesOf(durations.series);
  const ofRequests = timesOf(requests);
  if (ofDurations.length === 0 && ofRequests.length === 0) {
    const ofQuantiles = timesOf([...quantiles.values()].flat());
    return ofQuantiles.length > 0 ? ofQuantiles : noTraffic;
  }
  if (ofDurations.length === 0) return ofRequests;
  let times = ofRequests.length === 0 ? ofDurations : sharedTimes(ofDurations, ofRequests);
  if (times.length < 2 && ofDurations.length > 1 && ofRequests.length > 1) {
    return disagreement(stepOf(ofDurations), stepOf(ofRequests));
  }
  if (ofRequests.length > 0 && stepOf(ofDurations) !== stepOf(ofRequests) && times.length > 1) {
    remarks.push(
      `The queries "durations" and "requests" disagree on the step; moments that both have are used, ${stepOf(times)} s apart.`,
    );
  }
  const ofNet = timesOf(net.series);
  if (ofNet.length === 0) return times;
  const withNet = sharedTimes(times, ofNet);
  if (withNet.length >= times.length / 3 && withNet.length > 1) times = withNet;
  else remarks.push('Net durations were left out: their query disagrees on the step.');
  return times;
}

function appsOf(...lists: readonly (readonly Series[])[]): readonly string[] {
  const apps = new Set<string>();
  for (const series of lists) for (const { labels } of series) if (labels.app) apps.add(labels.app);
  return [...apps].sort();
}

function remarkAbsent({ canary, baseline, foundBy, others }: ChosenArms, remarks: string[]): void {
  if (foundBy === 'options' && others.length > 0) {
    remarks.push(`${canary} and ${baseline} are compared, as asked for; ${others.join(', ')} ran as well.`);
  } else if (others.length > 0) remarks.push(`Other versions ran as well: ${others.join(', ')}.`);
}

function quantilesOf({ quantiles }: Answers, arms: ChosenArms): readonly QuantileSeries[] {
  return [...quantiles].flatMap(([p, series]) =>
    (['canary', 'baseline'] as const).flatMap((arm) => {
      const found = series.find(({ labels }) => labels.version === arms[arm]);
      if (!found) return [];
      const values = Array.from(found.values, (value) =>
        typeof value === 'number' && Number.isFinite(value) ? value : null,
      );
      return [{ p, arm, times: found.times, values }];
    }),
  );
}
