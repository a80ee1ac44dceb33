// An assessment in; the one word of the verdict and its reasons out: the rules, in order.
import type { Assessment } from './assess.ts';
import type { Finding } from './finding.ts';
import { passBlocks, passLooks } from './options.ts';
import type { Reason, Verdict } from './types.ts';

/** What the rules decide. */
export interface Decision {
  readonly verdict: Verdict['verdict'];
  readonly code: Verdict['code'];
  readonly reasons: readonly Reason[];
}

/** Circumstances outside the assessment. */
export interface Circumstances {
  /** Why nothing can be said at all; empty if something can. */
  readonly missing: readonly Reason[];
  /** Whether this and the looks before it, as many as `pass` needs, were all ready to pass. */
  readonly streak: number;
  readonly errorsNotInferior: boolean;
  readonly durationsSeen: boolean;
  readonly wantedTail: number;
}

/** Returns the first rule's answer that applies. */
export function decide(assessment: Assessment, circumstances: Circumstances): Decision {
  if (circumstances.missing.length > 0) return answer('inconclusive', circumstances.missing);
  return (
    byEvents(assessment) ??
    byLatency(assessment) ??
    byBadBaseline(assessment) ??
    bySkew(assessment, circumstances) ??
    byProof(assessment, circumstances) ??
    bySuspicion(assessment) ??
    answer('inconclusive', undecided(assessment, circumstances))
  );
}

/** Errors and signals: evidence that no traffic split, drift or node effect explains. */
function byEvents(assessment: Assessment): Decision | undefined {
  const { errorValue, errorLimit, errorsMatched, bad, signals } = assessment;
  // The guard: more than 1 % lost for two minutes needs less evidence, but not where the baseline loses as much.
  const guard = bad.canary && !bad.baseline && errorValue >= 20;
  if (errorValue >= errorLimit || guard) {
    const unmatched: Reason[] = errorsMatched ? [] : ['ERRORS_NOT_MATCHED'];
    return answer('fail', ['ERRORS_WORSE', ...unmatched, ...slowness(assessment)]);
  }
  return signals.some(({ worse }) => worse) ? answer('fail', ['SIGNAL_WORSE']) : undefined;
}

/** What is also to be known of a canary that fails for another reason: whether it is slower, too. */
function slowness(assessment: Assessment): readonly Reason[] {
  const latency = byLatency(assessment);
  if (latency?.verdict === 'fail') return latency.reasons;
  return assessment.quantiles.some((finding) => finding?.worse === true || finding?.suspect === true)
    ? ['LATENCY_SUSPECT']
    : [];
}

function byLatency({
  tail,
  median,
  mayFail,
  contentionDiffers,
  starved,
  grade,
}: Assessment): Decision | undefined {
  const worse = [tail, median].filter((finding) => finding?.worse === true);
  const [first] = worse;
  if (!first) return undefined;
  if (!mayFail) {
    const why: Reason =
      grade.name === 'measured' && contentionDiffers ? 'CONTENTION_DIFFERS' : 'GRADE_NOT_SUFFICIENT';
    return answer('marginal', ['LATENCY_SUSPECT', why]);
  }
  if (starved) return answer('marginal', ['STARVED_OF_CPU', 'LATENCY_SUSPECT']);
  if (worse.every((finding) => finding?.isStealDecisive === true))
    return answer('marginal', ['CPU_STOLEN', 'LATENCY_SUSPECT']);
  if (worse.every((finding) => finding?.healed === true)) return answer('marginal', ['HEALED']);
  const masked = first.rawEffect !== undefined && first.rawEffect <= first.failLn;
  return answer('fail', masked ? ['LATENCY_WORSE', 'MASKED_BY_QUIET_NODE'] : ['LATENCY_WORSE']);
}

function byBadBaseline({ bad }: Assessment): Decision | undefined {
  return bad.canary && bad.baseline ? answer('inconclusive', ['BASELINE_ALSO_BAD']) : undefined;
}

/** Slow to look at, but at least half of it is the nodes' doing, and no more of the rest is proven than the margin allows. */
function bySkew(
  { tail, grade, net, storm, starved }: Assessment,
  { streak }: Circumstances,
): Decision | undefined {
  if (!tail || storm || grade.name === 'none' || !looksSlow(tail) || tail.coarse) return undefined;
  const explained = explainedShare(tail) ?? 0;
  const isWithin = tail.lower <= 0 || tail.upper <= tail.failLn || tail.notInferior;
  if (explained < 0.5 || !isWithin) return undefined;
  const proven = streak >= passLooks && grade.name !== 'covariate' && !starved;
  const reasons: Reason[] = ['NODE_CONTENTION', 'RAW_DELTA_EXCEEDS_MARGIN'];
  if (tail.notInferior) {
    reasons.push(
      grade.name === 'matched' && !net ? 'MATCHED_DELTA_WITHIN_MARGIN' : 'ADJUSTED_DELTA_WITHIN_MARGIN',
    );
  }
  if (starved) reasons.push('STARVED_OF_CPU');
  return answer('skewed', reasons, proven ? 'pass' : 'inconclusive');
}

function byProof({ storm }: Assessment, { streak }: Circumstances): Decision | undefined {
  if (storm) return answer('marginal', ['RETRY_STORM_SUSPECTED']);
  if (streak === 0) return undefined;
  return streak >= passLooks ? answer('pass', ['NOT_INFERIOR']) : answer('inconclusive', ['AWAITING_LOOKS']);
}

/** Neither proof: something speaks against the canary, or more time will not bring an answer. */
function bySuspicion({ tail, median, mayFail, signals }: Assessment): Decision | undefined {
  const judged = [tail, median].filter((finding) => finding !== undefined);
  const reasons: Reason[] = [];
  if (judged.some(({ suspect }) => suspect)) {
    if (judged.every(({ suspect, isStealDecisive }) => !suspect || isStealDecisive))
      reasons.push('CPU_STOLEN');
    reasons.push('LATENCY_SUSPECT');
  }
  if (judged.some(({ coarse, blocks }) => coarse && blocks >= passBlocks)) reasons.push('BUCKETS_TOO_COARSE');
  if (judged.some(({ outOfReach, blocks }) => outOfReach && blocks >= passBlocks))
    reasons.push('GRADE_NOT_SUFFICIENT');
  if (signals.some(({ finding, forbidden }) => forbidden || finding?.suspect === true))
    reasons.push('SIGNAL_UNDECIDED');
  if (!mayFail && reasons.includes('LATENCY_SUSPECT') && !reasons.includes('GRADE_NOT_SUFFICIENT')) {
    reasons.push('GRADE_NOT_SUFFICIENT');
  }
  return reasons.length > 0 ? answer('marginal', reasons) : undefined;
}

function undecided(
  { tail, median, proof, proofP, signals }: Assessment,
  { errorsNotInferior, durationsSeen, wantedTail }: Circumstances,
): readonly Reason[] {
  if (!durationsSeen) return ['NO_DURATIONS'];
  const reasons: Reason[] = [];
  if (!tail) reasons.push('WARMING_UP', 'LOW_TRAFFIC');
  else if (!proof || proof.blocks < passBlocks) reasons.push('LOW_TRAFFIC');
  else if (proof.isStealDecisive || median?.isStealDecisive) reasons.push('CPU_STOLEN');
  else if (!proof.notInferior || median?.notInferior === false) reasons.push('EFFECT_TOO_SMALL_TO_SEE');
  if (tail && (proofP ?? 0) < wantedTail) reasons.push('TAIL_NOT_JUDGEABLE');
  if (!errorsNotInferior) reasons.push('ERRORS_UNDECIDED');
  if (signals.some(({ notInferior }) => !notInferior)) reasons.push('SIGNAL_UNDECIDED');
  return reasons;
}

/** Share of the raw slowdown that went away when the nodes were held equal; undefined without a raw slowdown. */
export function explainedShare({ effect, rawEffect }: Finding): number | undefined {
  if (rawEffect === undefined || rawEffect <= 0) return undefined;
  return Math.min(1, Math.max(0, 1 - effect / rawEffect));
}

function looksSlow({ rawLower, rawFailLn }: Finding): boolean {
  return rawLower !== undefined && rawLower > rawFailLn;
}

function answer(verdict: Verdict['verdict'], reasons: readonly Reason[], code?: Verdict['code']): Decision {
  return {
    verdict,
    code: code ?? (verdict === 'pass' || verdict === 'fail' ? verdict : 'inconclusive'),
    reasons,
  };
}
