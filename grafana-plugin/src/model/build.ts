// What was observed in; everything that is shown out. The same for Grafana's frames and for the agent's history.
import { defaultOptions, judgeCourse, layoutOf, VerdictInputError } from '@plumbline/verdict';
import type { JudgeOptions, Layout, Look, Verdict } from '@plumbline/verdict';
import { queryOf } from '../frames/roles.ts';
import { headlineOf, noHeadline } from './headline.ts';
import type { ByArm, CanaryModel, Strip, ViewSettings } from './model.ts';
import { nodeRows } from './nodes.ts';
import { givenOverlay, overlayOf, quantileOf, secondsAt } from './overlay.ts';
import { addSums, emptySums, pointsOf } from './points.ts';
import type { Point, Sums } from './points.ts';
import type { Notice, Observed, Run } from './run.ts';
import { signalRows } from './signals.ts';
import { stripOf } from './strip.ts';

/** Returns the model of what was observed; whatever is wrong becomes a notice, never an exception. */
export function buildModel(observed: Observed, settings: ViewSettings): CanaryModel {
  const { run, remarks } = observed;
  if (!run) return withoutRun(observed);
  const { quantile: p } = settings;
  const layout = layoutOf(run.buckets);
  const points = pointsOf(run, p);
  const totals = totalsOf(points);
  const { verdict, looks, notice } = judgement(run, settings.judge);
  const drawn = overlayOf(points, layout, p);
  const hasDurations = totals.canary.durations.total > 0 || totals.baseline.durations.total > 0;
  const standing = observed.notice ?? notice;
  return {
    names: {
      app: run.app,
      canary: run.canary,
      baseline: run.baseline,
      foundBy: run.foundBy,
      others: run.otherVersions,
    },
    headline: standing || !verdict ? noHeadline(standing?.title ?? '') : headlineOf(verdict),
    notice: standing ?? null,
    remarks,
    verdict: standing ? null : verdict,
    overlay: hasDurations ? drawn : givenOverlay(run, p),
    strip: stripOf(looks, verdict?.delta?.metric, (metric) =>
      marginsOf(settings.judge, totals, layout, quantileOf(metric)),
    ),
    signals: signalRows(run, points, totals, layout, standing ? null : verdict),
    nodes: nodeRows(run, totals.baseline, layout, p),
  };
}

function withoutRun({ notice, remarks }: Observed): CanaryModel {
  return {
    names: null,
    headline: noHeadline(notice?.title ?? 'There is nothing to show.'),
    notice: notice ?? null,
    remarks,
    verdict: null,
    overlay: null,
    strip: null,
    signals: [],
    nodes: [],
  };
}

interface Judgement {
  readonly verdict: Verdict | null;
  readonly looks: readonly Look[];
  readonly notice?: Notice;
}

function judgement(run: Run, options: JudgeOptions): Judgement {
  try {
    const { verdict, looks } = judgeCourse(run, options);
    if (run.errorsKnown) return { verdict, looks };
    const areQuantilesAll = (run.quantiles?.length ?? 0) > 0 && run.windows.length === 0;
    return { verdict: null, looks, notice: areQuantilesAll ? quantilesOnly : errorsUnknown };
  } catch (error) {
    if (!(error instanceof VerdictInputError) && !(error instanceof RangeError)) throw error;
    const isOption = error instanceof RangeError;
    return {
      verdict: null,
      looks: [],
      notice: {
        kind: 'wrong-data',
        title: isOption ? 'An option of this panel cannot be used.' : 'The data cannot be judged.',
        text: `${error.message}.`,
        remedies: isOption ? ['Correct it in the options, under Judging.'] : [],
      },
    };
  }
}

const errorsUnknown: Notice = {
  kind: 'missing',
  title: 'Errors are not known.',
  text: 'How fast a canary is says nothing about how often it fails, so nothing is judged.',
  remedies: ['Add a query with refId "requests": requests by version, node and code.'],
};

const quantilesOnly: Notice = {
  kind: 'missing',
  title: 'Quantiles alone cannot be judged.',
  text: 'Quantiles of different nodes and moments cannot be put together again: it takes the buckets, and the errors.',
  remedies: [`durations: ${queryOf('durations')}`, `requests: ${queryOf('requests')}`],
};

function totalsOf(points: readonly Point[]): ByArm<Sums> {
  const totals = { canary: emptySums(), baseline: emptySums() };
  for (const { arms } of points) {
    if (!arms) continue;
    for (const arm of ['canary', 'baseline'] as const) addSums(totals[arm], arms[arm]);
  }
  return totals;
}

/** The relative margins in force: a slowdown that nobody would notice counts as none. */
function marginsOf(
  { failMargin, passMargin, marginSeconds }: JudgeOptions,
  { baseline }: ByArm<Sums>,
  layout: Layout,
  p: number,
): Pick<Strip, 'failMargin' | 'passMargin'> {
  const level = secondsAt(baseline.durations, layout, p);
  const unnoticed = level === null ? 0 : (marginSeconds ?? defaultOptions.marginSeconds) / level;
  return {
    failMargin: Math.max(failMargin ?? defaultOptions.failMargin, unnoticed),
    passMargin: Math.max(passMargin ?? defaultOptions.passMargin, unnoticed),
  };
}
