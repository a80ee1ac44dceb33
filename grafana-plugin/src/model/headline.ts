// A verdict in; the word, the sentence and the facts that answer within five seconds out.
import { reasonSentence } from '@plumbline/verdict';
import type { Reason, Verdict } from '@plumbline/verdict';
import { formatCount, formatRelative, formatSeconds, formatValue, formatWait } from './format.ts';
import type { Fact, Headline } from './model.ts';

/** Returns what is said first. */
export function headlineOf(verdict: Verdict): Headline {
  return {
    tone: verdict.verdict,
    word: words[verdict.verdict],
    sentence: sentenceOf(verdict),
    facts: factsOf(verdict),
  };
}

/** Returns what is said where there is no verdict. */
export function noHeadline(sentence: string): Headline {
  return { tone: 'none', word: 'No verdict', sentence, facts: [] };
}

const words: Readonly<Record<Verdict['verdict'], string>> = {
  pass: 'Pass',
  marginal: 'Marginal',
  fail: 'Fail',
  skewed: 'Skewed',
  inconclusive: 'Inconclusive',
};

function sentenceOf(verdict: Verdict): string {
  const { canary, baseline, delta, reasons, code, errors } = verdict;
  const has = (reason: Reason): boolean => reasons.includes(reason);
  switch (verdict.verdict) {
    case 'fail':
      if (has('ERRORS_WORSE')) {
        const [ours, theirs] = [errors.canaryRatio, errors.baselineRatio].map((ratio) =>
          formatValue(ratio, 'share'),
        );
        const slower = has('LATENCY_WORSE') || has('LATENCY_SUSPECT') ? ' It is slower, too.' : '';
        return `${canary} fails more often than ${baseline}: ${ours} of its requests against ${theirs}.${slower}`;
      }
      if (has('MASKED_BY_QUIET_NODE') && delta) {
        return `${canary} looks fine only because its nodes are quiet: on equal nodes its ${delta.metric} is ${formatRelative(delta.relative)}.`;
      }
      if (has('SIGNAL_WORSE'))
        return `${signalNames(verdict, 'worse')} of ${canary} is worse than of ${baseline}.`;
      return delta
        ? `The code of ${canary} is slower than ${baseline}: ${delta.metric} ${formatRelative(delta.relative)} on equal nodes.`
        : `${canary} is worse than ${baseline}.`;
    case 'skewed': {
      const end =
        code === 'pass' ? 'The code is safe to go on with.' : 'The code itself is not yet proven safe.';
      return `${canary} looks slow${typeof delta?.raw === 'number' ? ` (${delta.metric} ${formatRelative(delta.raw)})` : ''}, but its nodes do it, not its code. ${end}`;
    }
    case 'pass':
      return delta
        ? `${canary} is as good as ${baseline}: ${delta.metric} ${formatRelative(delta.relative)}, and no more errors.`
        : `${canary} is as good as ${baseline}.`;
    case 'marginal':
    case 'inconclusive': {
      const [first] = reasons;
      const needs = needsOf(verdict);
      return [first ? reasonSentence(first) : 'Nothing is proven yet.', needs && `Needs ${needs}.`]
        .filter(Boolean)
        .join(' ');
    }
  }
}

function factsOf(verdict: Verdict): readonly Fact[] {
  const { delta, samples, grade, contention, reasons } = verdict;
  const facts: Fact[] = [];
  if (delta) {
    facts.push({
      label: delta.metric,
      value: `${formatRelative(delta.relative)} (${formatRelative(delta.lower)} to ${formatRelative(delta.upper)}), ${delta.seconds < 0 ? '−' : '+'}${formatSeconds(Math.abs(delta.seconds))}`,
      detail: `With the nodes' part taken out${
        delta.raw === null ? '' : `; ${formatRelative(delta.raw)} if nodes are ignored`
      }. The interval holds at every look, at level ${100 * (1 - verdict.evidence.alpha)} %.`,
    });
  }
  const needs = needsOf(verdict);
  if (needs !== undefined) {
    facts.push({
      label: 'needs',
      value: needs,
      detail: `An increase of ${formatRelative(samples.mde)} would be seen in 8 of 10 such runs.`,
    });
  }
  facts.push({
    label: 'requests',
    value: `${formatCount(samples.canary)} against ${formatCount(samples.baseline)}`,
    detail: `${samples.canary} of the canary, ${samples.baseline} of the baseline, in ${samples.blocks} blocks.`,
  });
  if (contention.explained !== null && (verdict.verdict === 'skewed' || contention.explained > 0.3)) {
    facts.push({ label: 'nodes explain', value: `${Math.round(100 * contention.explained)} %` });
  }
  if (reasons.includes('CPU_STOLEN')) {
    const { canary, baseline } = contention.stealShare;
    facts.push({
      label: 'stolen',
      value: `${formatValue(canary, 'share')} against ${formatValue(baseline, 'share')}`,
      detail: 'Share of the CPU time that the hypervisor took from the CPUs of each version.',
    });
  }
  facts.push({
    label: 'compared',
    value: grades[grade.name],
    detail: `${Math.round(100 * grade.share)} % of the canary's requests, on ${grade.nodes.join(', ') || 'no node'}.`,
  });
  // Reasons that the sentence has not said.
  const rest = reasons.slice(verdict.verdict === 'inconclusive' || verdict.verdict === 'marginal' ? 1 : 0);
  for (const reason of rest) facts.push({ label: 'why', value: reasonSentence(reason) });
  return facts;
}

const grades: Readonly<Record<Verdict['grade']['name'], string>> = {
  matched: 'on the same nodes',
  measured: 'less CPU wait',
  'co-tenant': 'by other services on the nodes',
  covariate: 'by contention figures',
  none: 'nodes not told apart',
};

/** How much is missing: `12k more requests, about 4 min`. */
function needsOf({ samples, window }: Verdict): string | undefined {
  const { etaSeconds } = samples;
  if (etaSeconds === null || etaSeconds <= 0) return undefined;
  const elapsed = (Date.parse(window.to ?? '') - Date.parse(window.from ?? '')) / 1000;
  const more = elapsed > 0 ? (samples.canary / elapsed) * etaSeconds : NaN;
  const wait = formatWait(etaSeconds);
  return more >= 1 ? `${formatCount(more, 2)} more requests, ${wait}` : wait;
}

function signalNames({ metrics }: Verdict, state: string): string {
  return metrics
    .filter((found) => found.state === state && !/^p\d+$/.test(found.metric))
    .map(({ metric }) => metric)
    .join(' and ');
}
