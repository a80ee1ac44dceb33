// A run so far in; its verdict, as people and programs read it, out.
import { assess, elapsedSeconds, errorUpperDifference, secondsToJudge } from './assess.ts';
import type { Assessment } from './assess.ts';
import { oddsRatio } from './exposures.ts';
import { metricVerdict, relative } from './finding.ts';
import type { Finding } from './finding.ts';
import { delayShare, stolenShare } from './grade.ts';
import { canaryNodes } from './nodes.ts';
import { burnRates, shareUnexpected } from './oncall.ts';
import { lowestPassTail } from './options.ts';
import { decide, explainedShare } from './rules.ts';
import type { Decision } from './rules.ts';
import type { State } from './state.ts';
import { isoTime } from './time.ts';
import type { Delta, ErrorVerdict, MetricVerdict, Reason, Verdict } from './types.ts';

/** Returns the verdict at `now` (Unix seconds). */
export function verdictOf(state: State, now: number): Verdict {
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

/** Returns the quantiles of which anything is known as people read them. */
export function metricVerdicts(findings: readonly (Finding | undefined)[]): readonly MetricVerdict[] {
  return findings.flatMap((finding) => (finding ? [metricVerdict(finding)] : []));
}

const unknownMetric = {
  state: 'undecided',
  relative: null,
  lower: null,
  upper: null,
  raw: null,
  margin: null,
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
