// A verdict in; the text that people read, and the exit code that scripts read, out.
import type { Reason, Verdict } from './types.ts';

/** 0: go on (pass, or skewed and safe); 1: go back (fail); 3: wait or look (marginal, inconclusive). */
export function exitCode({ verdict, code }: Verdict): 0 | 1 | 3 {
  if (verdict === 'fail') return 1;
  return code === 'pass' ? 0 : 3;
}

/**
 * Returns the verdict as lines of text, most important first, ending with a line break. `message` is what the asker
 * knows besides the reasons; figures are left out where there was no request to compare.
 */
export function report(verdict: Verdict, message = ''): string {
  const { app, canary, baseline, reasons, samples, window, contention, errors } = verdict;
  const lines = [
    `${headline(verdict)}: ${app} ${canary} against ${baseline}`,
    ...(message === '' ? [] : [`  ${message}`]),
    ...reasons.map((reason) => `  ${reason}: ${reasonSentence(reason)}`),
  ];
  if (samples.canary + samples.baseline === 0) return `${lines.join('\n')}\n`;
  lines.push(
    '',
    ...verdict.metrics.map(metricLine),
    errorLine(verdict),
    `grade    ${verdict.grade.name}, ${percent(verdict.grade.share)} of the canary's requests, on ${verdict.grade.nodes.join(', ') || 'no node'}`,
    `samples  ${samples.canary} canary and ${samples.baseline} baseline requests in ${samples.blocks} blocks, ${window.from ?? '?'} to ${window.to ?? '?'}`,
  );
  if (errors.burnRate) {
    const { burnRate } = errors;
    lines.push(
      `budget   burns ${times(burnRate.canary)} in the canary, ${times(burnRate.baseline)} in the baseline`,
    );
  }
  if (samples.mde !== null)
    lines.push(`visible  an increase of ${percent(samples.mde)} would be seen in 8 of 10 such runs`);
  if (samples.etaSeconds !== null) lines.push(`answer   expected in about ${duration(samples.etaSeconds)}`);
  if (contention.explained !== null)
    lines.push(`nodes    explain ${percent(contention.explained)} of the raw difference`);
  const { canary: fromCanary, baseline: fromBaseline } = contention.stealShare;
  if (reasons.includes('CPU_STOLEN')) {
    lines.push(
      `steal    ${percent(fromCanary ?? 0)} of the canary's CPU time, ${percent(fromBaseline ?? 0)} of the baseline's`,
    );
  }
  if (reasons.includes('GRADE_NOT_SUFFICIENT')) {
    lines.push(
      '',
      'To let code and node be told apart, put a baseline pod on each canary node. VERSION-LABEL is the label that holds',
      'the version in your pods, such as app.kubernetes.io/version or rollouts-pod-template-hash:',
      podAffinity(app, canary),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Returns a reason as a sentence for people. */
export function reasonSentence(reason: Reason): string {
  return sentences[reason];
}

/** The pod template snippet (YAML) for baseline pods that are to run beside the canary, one on each of its nodes; with a label to fill in. */
export function podAffinity(app: string, canary: string): string {
  const labels = (version: string): string =>
    `{ app.kubernetes.io/name: ${JSON.stringify(app)}, VERSION-LABEL: ${version} }`;
  return [
    'metadata:',
    '  labels: { plumbline.io/role: canary-companion }',
    'spec:',
    '  affinity:',
    '    podAffinity:',
    '      requiredDuringSchedulingIgnoredDuringExecution:',
    '        - topologyKey: kubernetes.io/hostname',
    `          labelSelector: { matchLabels: ${labels(JSON.stringify(canary))} }`,
    '    podAntiAffinity:',
    '      requiredDuringSchedulingIgnoredDuringExecution:',
    '        - topologyKey: kubernetes.io/hostname',
    '          labelSelector: { matchLabels: { plumbline.io/role: canary-companion } }',
  ].join('\n');
}

const sentences: Readonly<Record<Reason, string>> = {
  NO_TRAFFIC: 'No version of the app has answered a request in this time.',
  NO_CANARY_TRAFFIC: 'The canary has not answered a single request yet.',
  NO_BASELINE: 'There is no baseline traffic to compare with.',
  STALE: 'The newest traffic of one version is too old to judge by.',
  LOW_TRAFFIC: 'There is not enough traffic yet for the quantile that is to be judged.',
  NO_DURATIONS: 'Requests were counted, but not how long they took.',
  WARMING_UP: "The canary's pods are still warming up.",
  ERRORS_WORSE: 'The canary fails more often than the baseline, beyond chance.',
  ERRORS_NOT_MATCHED: "No baseline runs on the canary's nodes, so the errors were compared with other nodes.",
  ERRORS_UNDECIDED: 'It is not yet proven that the canary does not fail more often.',
  BASELINE_ALSO_BAD: 'Both versions fail more than 1 % of requests: something else is wrong.',
  RETRY_STORM_SUSPECTED:
    'Since the canary came, demand and baseline errors have risen together, as in a retry storm.',
  TRAFFIC_SHARE_UNEXPECTED: 'The canary gets a share of traffic far from the one asked for.',
  LATENCY_WORSE: 'The canary is slower than the margin allows, on the same nodes at the same time.',
  SIGNAL_WORSE: 'A signal of your own is worse in the canary than the margin allows.',
  SIGNAL_UNDECIDED: 'A signal of your own is not yet proven to be no worse.',
  MASKED_BY_QUIET_NODE: 'The canary looks fine only because its nodes are quieter than the others.',
  HEALED: 'The canary was slower, but has been within the margin for the last quarter of the run.',
  NODE_CONTENTION: "The slowness comes with the canary's nodes, not with its code.",
  RAW_DELTA_EXCEEDS_MARGIN: 'Compared without regard to nodes, the canary would look too slow.',
  MATCHED_DELTA_WITHIN_MARGIN: 'Against the baseline on the same nodes, it is within the margin.',
  ADJUSTED_DELTA_WITHIN_MARGIN: 'With the effect of its nodes taken out, it is within the margin.',
  GRADE_NOT_SUFFICIENT:
    'No baseline shares a node with the canary, so its code cannot be told from its nodes.',
  CONTENTION_DIFFERS: "The canary's nodes are busier than the baseline's, or do not show whether they are.",
  WAITS_FOR_ITSELF:
    'The canary waits for CPUs that it keeps busy itself, or at its own limit: that is not held against its nodes.',
  STARVED_OF_CPU:
    'Others leave the canary so little CPU that its requests queue behind each other: what its code takes cannot be told.',
  CPU_STOLEN:
    'The hypervisor took more CPU time from one version than from the other (steal), which may be all there is to their difference, or hide one.',
  BUCKETS_TOO_COARSE: 'The histogram buckets are wider than the margin.',
  LOWER_QUANTILE_JUDGED: 'Traffic allows only a lower quantile than the one wanted.',
  TAIL_NOT_JUDGEABLE: 'The wanted quantile has too few requests beyond it.',
  LATENCY_SUSPECT: 'The canary is slower, though not provably beyond the margin.',
  EFFECT_TOO_SMALL_TO_SEE: 'The interval is still wider than the margin.',
  AWAITING_LOOKS: 'Everything speaks for a pass; it has to hold for three looks in a row.',
  NOT_INFERIOR: 'The canary is proven to be no worse than the margins allow.',
  SOURCE_UNAVAILABLE: 'The source of the measurements gave no answer to judge by.',
  SAME_VERSION: 'Canary and baseline are the same version: there is nothing to compare.',
  NAMESPACE_NEEDED: 'Several namespaces have this app: one has to be named.',
};

function headline({ verdict, code }: Verdict): string {
  if (verdict !== 'skewed') return verdict.toUpperCase();
  return code === 'pass' ? 'SKEWED (safe to go on)' : 'SKEWED (not yet proven safe)';
}

function metricLine(one: Verdict['metrics'][number]): string {
  const { metric, relative, lower, upper, raw, margin } = one;
  const state = one.state === 'not-inferior' ? 'within the margin' : one.state;
  if (relative === null || lower === null || upper === null) return `${metric.padEnd(8)} ${state}`;
  const allowed = margin === null ? '' : `, margin ${signed(margin)}`;
  const pooled = raw === null ? '' : `, ${signed(raw)} if nodes are ignored`;
  return `${metric.padEnd(8)} ${signed(relative)} (${signed(lower)} to ${signed(upper)}${pooled}${allowed}) ${state}`;
}

function errorLine({ errors: { canaryRatio, baselineRatio }, evidence }: Verdict): string {
  const shown = (ratio: number | null): string =>
    ratio === null ? 'none seen' : `${(100 * ratio).toFixed(3)} %`;
  return `errors   ${shown(canaryRatio)} against ${shown(baselineRatio)}, evidence ${evidence.errors.toPrecision(2)} (1 is none)`;
}

function signed(relative: number): string {
  return `${relative < 0 ? '−' : '+'}${percent(Math.abs(relative))}`;
}

function percent(share: number): string {
  return share >= 10 ? `${Math.round(100 * share)} %` : `${(100 * share).toFixed(1)} %`;
}

function times(rate: number | null): string {
  return rate === null ? 'unknown' : `${rate.toFixed(1)}×`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
