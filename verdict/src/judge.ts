// Windows of counts in, a verdict out: whole runs with `judge`, growing ones with `createJudge`.
import {
  assess,
  delayShare,
  elapsedSeconds,
  errorUpperDifference,
  gradeOf,
  isReady,
  rungFindings,
  secondsToJudge,
  stolenShare,
} from './assess.ts';
import type { Assessment } from './assess.ts';
import { each, named } from './checks.ts';
import { oddsRatio } from './exposures.ts';
import { metricVerdict, relative } from './finding.ts';
import { canaryNodes } from './nodes.ts';
import type { Finding } from './finding.ts';
import { burnRates, shareUnexpected } from './oncall.ts';
import { lowestPassTail, passLooks, settingsOf } from './options.ts';
import type { JudgeOptions } from './options.ts';
import { decide, explainedShare } from './rules.ts';
import type { Decision } from './rules.ts';
import { emptyState, pushWindow } from './state.ts';
import type { State } from './state.ts';
import { isoTime } from './time.ts';
import type {
  Delta,
  ErrorVerdict,
  MetricVerdict,
  Reason,
  Subject,
  Verdict,
  VerdictInput,
  Window,
} from './types.ts';
import { checkHead, checkSubject } from './validate.ts';
import { checkWindow } from './window.ts';

/** A run that is judged while it goes on. */
export interface Judge {
  /**
   * Adds the next window.
   * @throws VerdictInputError if it is wrong or not later than the last; the run is then as it was.
   */
  readonly push: (window: Window) => void;
  /** The verdict at `now` (Unix seconds), by default the end of the last window. */
  readonly verdict: (now?: number) => Verdict;
}

/**
 * Returns the verdict of a whole run: what `createJudge` says after its last window.
 * @throws VerdictInputError naming the place that is wrong; RangeError for an option out of range.
 */
export function judge(input: VerdictInput, options?: JudgeOptions): Verdict {
  return judgeWindows(input, options, () => undefined);
}

/** What was known of each quantile when the window that ends at `end` (Unix seconds) had come. */
export interface Look {
  readonly end: number;
  readonly metrics: readonly MetricVerdict[];
}

/**
 * Returns the verdict of a whole run, as `judge` does, and how it came about: what `createJudge` would have said of
 * the quantiles after each window or, in a long run, after `mostLooks` of them, the last among them.
 * @throws VerdictInputError, RangeError as `judge`.
 */
export function judgeCourse(
  input: VerdictInput,
  options?: JudgeOptions,
  mostLooks = 180,
): { readonly verdict: Verdict; readonly looks: readonly Look[] } {
  const looks: Look[] = [];
  const verdict = judgeWindows(input, options, (state, left) => {
    if (left % Math.ceil(input.windows.length / mostLooks) > 0) return;
    looks.push({
      end: state.lastEnd ?? 0,
      metrics: metricVerdicts(rungFindings(state, gradeOf(state).name)),
    });
  });
  return { verdict, looks };
}

function judgeWindows(
  input: VerdictInput,
  options: JudgeOptions | undefined,
  onWindow: (state: State, left: number) => void,
): Verdict {
  const { windows, now } = checkHead(input);
  const state = emptyState(input, settingsOf(options));
  each(windows, 'windows', (window, i) => {
    const left = windows.length - 1 - i;
    add(state, window, now);
    onWindow(state, left);
    // Of a whole run, only the looks that a pass needs in a row can matter.
    if (left < passLooks) look(state);
  });
  return verdictOf(state, now);
}

/**
 * Returns a judge of a run that has no window yet; the cost of a window does not grow with the run.
 * @throws VerdictInputError for a wrong subject; RangeError for an option out of range.
 */
export function createJudge(subject: Subject, options?: JudgeOptions): Judge {
  const state = emptyState(checkSubject(subject), settingsOf(options));
  return {
    push: (window) => {
      try {
        add(state, window, Infinity);
      } catch (error) {
        throw named(error, 'window');
      }
      look(state);
    },
    verdict: (now = state.lastEnd ?? 0) => verdictOf(state, now),
  };
}

function add(state: State, window: unknown, now: number): void {
  pushWindow(state, checkWindow(window, state.layout, state.roster, state.lastEnd ?? -Infinity, now));
}

/** Every window is a look: a pass has to be earned at several in a row. */
function look(state: State): void {
  state.streak = isReady(state, assess(state)) ? state.streak + 1 : 0;
}

function verdictOf(state: State, now: number): Verdict {
  const { subject, settings, onCall } = state;
  const assessment = assess(state);
  const { grade, errorValue } = assessment;
  const errors = errorVerdict(state, assessment);
  const lacking = missing(state, now);
  const decision = decide(assessment, {
    missing: lacking,
    streak: state.streak,
    errorsNotInferior: (errors.upperDifference ?? 1) < settings.errorPassMargin,
    durationsSeen: state.durationsSeen.canary && state.durationsSeen.baseline,
    wantedTail: settings.tail,
  });
  const shown = decision.code === 'pass' ? assessment.proof : assessment.tail;
  return {
    apiVersion: 'plumbline/v1',
    app: subject.app,
    canary: subject.canary,
    baseline: subject.baseline,
    verdict: decision.verdict,
    code: decision.code,
    score: scoreOf(decision),
    delta: shown ? deltaOf(shown) : null,
    metrics: metricsOf(assessment),
    errors,
    evidence: { errors: errorValue, alpha: settings.alpha, looks: state.looks },
    samples: {
      canary: onCall.since.canary.requests,
      baseline: onCall.since.baseline.requests,
      blocks: shown?.blocks ?? 0,
      mde: shown ? relative(shown.mde) : null,
      etaSeconds: etaOf(state, assessment, decision),
    },
    grade: { ...grade, nodes: canaryNodes(state.nodes) },
    contention: {
      schedDelayShare: { canary: delayShare(state.delay.canary), baseline: delayShare(state.delay.baseline) },
      stealShare: { canary: stolenShare(state.steal.canary), baseline: stolenShare(state.steal.baseline) },
      explained: (shown && grade.name !== 'none' ? explainedShare(shown) : undefined) ?? null,
    },
    reasons: lacking.length > 0 ? lacking : [...decision.reasons, ...remarks(state, assessment, decision)],
    window: {
      from: state.firstStart === undefined ? null : isoTime(state.firstStart),
      to: state.lastEnd === undefined ? null : isoTime(state.lastEnd),
    },
  };
}

/** Why nothing can be said at all. */
function missing({ onCall, subject, settings }: State, now: number): readonly Reason[] {
  const { since, lastCanaryEnd, lastBaselineEnd } = onCall;
  const reasons: Reason[] = [];
  if (lastCanaryEnd === undefined) reasons.push('NO_CANARY_TRAFFIC');
  if (lastBaselineEnd === undefined || (lastCanaryEnd !== undefined && since.baseline.requests === 0)) {
    reasons.push('NO_BASELINE');
  }
  if (reasons.length > 0) return reasons;
  const stale = Math.max(settings.staleSeconds, 3 * subject.windowSeconds);
  if (now - Math.min(lastCanaryEnd ?? now, lastBaselineEnd ?? now) > stale) return ['STALE'];
  return Math.min(since.canary.requests, since.baseline.requests) < fewestRequests ? ['LOW_TRAFFIC'] : [];
}

/** One block of the median. */
const fewestRequests = 40;

/** What an on-call engineer would want to know besides. */
function remarks(
  state: State,
  { storm, proofP, waitsForItself }: Assessment,
  { reasons }: Decision,
): readonly Reason[] {
  const found: Reason[] = [];
  if (storm) found.push('RETRY_STORM_SUSPECTED');
  if (shareUnexpected(state.onCall, state.settings.expectedWeight)) found.push('TRAFFIC_SHARE_UNEXPECTED');
  if (waitsForItself && state.coverage.net > 0) found.push('WAITS_FOR_ITSELF');
  if (proofP !== undefined && proofP < state.settings.tail) found.push('LOWER_QUANTILE_JUDGED');
  return found.filter((reason) => !reasons.includes(reason));
}

function deltaOf(finding: Finding): Delta {
  const { metric, effect, lower, upper, rawEffect, lnBaseline = 0 } = finding;
  return {
    metric,
    relative: relative(effect),
    lower: relative(lower),
    upper: relative(upper),
    seconds: relative(effect) * Math.exp(lnBaseline),
    raw: rawEffect === undefined ? null : relative(rawEffect),
  };
}

function metricsOf({ quantiles, signals }: Assessment): readonly MetricVerdict[] {
  const others = signals.map(({ name, finding, evidence, worse }): MetricVerdict => {
    const known = finding
      ? metricVerdict(finding, evidence ?? null)
      : { ...unknownMetric, metric: name, evidence: evidence ?? null };
    return worse ? { ...known, state: 'worse' } : known;
  });
  return [...metricVerdicts(quantiles), ...others];
}

function metricVerdicts(findings: readonly (Finding | undefined)[]): readonly MetricVerdict[] {
  return findings.flatMap((finding) => (finding ? [metricVerdict(finding)] : []));
}

const unknownMetric = {
  state: 'undecided',
  relative: null,
  lower: null,
  upper: null,
  raw: null,
  blocks: 0,
  mde: null,
  etaSeconds: null,
} as const;

function errorVerdict(state: State, { bad, storm }: Assessment): ErrorVerdict {
  const { tally } = state.evidence;
  const seen = tally.canaryTrials > 0 && tally.baselineTrials > 0;
  return {
    canaryRatio: tally.canaryTrials > 0 ? tally.canaryEvents / tally.canaryTrials : null,
    baselineRatio: tally.baselineTrials > 0 ? tally.baselineEvents / tally.baselineTrials : null,
    oddsRatio: oddsRatio(tally) ?? null,
    upperDifference: seen ? errorUpperDifference(state) : null,
    burnRate: burnRates(state.onCall, state.settings),
    baselineStable: !bad.baseline && !storm,
  };
}

/** Seconds until an answer is likely; null when there is one, or when time will not bring it. */
function etaOf(
  state: State,
  { proof, proofP, grade, signals }: Assessment,
  { code }: Decision,
): number | null {
  if (code !== 'inconclusive' || elapsedSeconds(state) === 0) return null;
  const wanted = secondsToJudge(state, grade.name, Math.max(proofP ?? 0, lowestPassTail));
  const findings = [proof, ...signals.map(({ finding }) => finding)];
  const seconds = Math.max(wanted ?? NaN, ...findings.map((finding) => finding?.etaSeconds ?? 0));
  return Number.isFinite(seconds) ? Math.round(seconds) : null;
}

/** As Kayenta's users count: what passes is 95 or more, what needs a look lies between, what fails is 0. */
function scoreOf({ verdict, code }: Decision): number {
  if (verdict === 'skewed') return code === 'pass' ? 95 : 75;
  return { pass: 100, marginal: 80, inconclusive: 75, fail: 0 }[verdict];
}
