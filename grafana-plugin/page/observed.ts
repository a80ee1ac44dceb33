// The agent's answers in; what the panel shows out: a run, or why there is none and what to do. Pure.
import type { AgentReport } from '../../agent/src/exposition/report.ts';
import type { AppAnswer, HistoryAnswer } from '../../agent/src/history/api.ts';
import type { ShownCell } from '../../agent/src/history/input.ts';
import { formatCount, formatCulprit } from '../src/model/format.ts';
import type { Blame, Notice, Observed, Run, RunCell, RunWindow } from '../src/model/run.ts';
import type { Feed, Wanted } from './feed.ts';

/** Unix seconds. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Returns what is known; only windows in `range`, if there is one. */
export function observedOf({ report, apps, history, fault }: Feed, wanted: Wanted, range?: Range): Observed {
  if (report === undefined)
    return { notice: fault === undefined ? loading : unreachable(fault), remarks: [] };
  const remarks = remarksOn(report);
  const unmeasured = unmeasuredHttp(report);
  if (unmeasured) return { notice: unmeasured, remarks };
  const seen = apps.find(({ app, namespace }) => app === history?.app && namespace === history.namespace);
  if (history === undefined || (seen === undefined && wanted.app === undefined))
    return { notice: report.notReady === null ? nobody(report) : warmingUp(report), remarks };
  if (seen === undefined) return { notice: vanished(history, apps, report), remarks };
  const [only] = seen.versions;
  if (seen.versions.length === 1 && only && wanted.canary === undefined && wanted.baseline === undefined)
    return { notice: single(only.version, seen, report), remarks };
  const run = runOf(history, seen, range);
  return {
    run,
    remarks: [...remarks, ...(history.message === undefined ? [] : [history.message])],
    ...(history.message !== undefined && { notice: missing(history.message) }),
  };
}

function runOf(history: HistoryAnswer, { versions }: AppAnswer, range?: Range): Run {
  const { app, canary, baseline, foundBy, buckets, windowSeconds } = history;
  const isIn = ({ end }: { readonly end: number }) => !range || (end > range.from && end <= range.to);
  const windows = history.windows
    .filter(isIn)
    .map((window): RunWindow => ({ ...window, cells: window.cells.map(runCell) }));
  return {
    ...{ app, canary, baseline, foundBy, buckets, windowSeconds, windows },
    otherVersions: versions
      .map(({ version }) => version)
      .filter((version) => version !== canary && version !== baseline),
    errorsKnown: true,
    now: range ? Math.min(range.to, history.now) : history.now,
    blame: history.windows.filter(isIn).flatMap(({ cells }) => cells.flatMap(blameOf)),
  };
}

const runCell = (cell: ShownCell): RunCell => ({ ...cell, clientErrors: cell.codes['4xx'] ?? 0 });

function blameOf({ node, arm, blame = [] }: ShownCell): readonly Blame[] {
  if (arm !== 'canary' && arm !== 'baseline') return [];
  return blame.map(({ culprit: { namespace, app, version }, seconds }) => ({
    node,
    arm,
    culprit: formatCulprit(namespace, app, version),
    seconds,
  }));
}

function remarksOn({ probes, sources }: AgentReport): readonly string[] {
  const lacking = probes.flatMap(({ name, mode, isOverBudget, lacking }) => {
    const why = lacking.map(lackText).join('; ');
    if (isOverBudget)
      return [`The probe ${name} is switched off for now: the probes cost more than their budget.`];
    if (mode === 'none') return [`The probe ${name} does not run on this node: ${why}.`];
    return mode === 'reduced' ? [`The probe ${name} runs reduced on this node: ${why}.`] : [];
  });
  const silent = sources.flatMap(({ name, up }) =>
    up ? [] : [`${name} does not answer: names of new versions may be missing.`],
  );
  return [...lacking, ...silent];
}

const lackText = ({ found, remedy }: AgentReport['probes'][number]['lacking'][number]) =>
  remedy === '' ? found : `${found} (${remedy})`;

const loading: Notice = {
  kind: 'empty',
  title: 'Asking the agent …',
  text: 'The first answer is on its way.',
  remedies: [],
};

const unreachable = (fault: string): Notice => ({
  kind: 'error',
  title: fault,
  text: 'The page goes on trying.',
  remedies: [
    'Is it still running? Its log says why it ended.',
    'Does the tunnel or the port forward still stand?',
  ],
});

/** Without any probe of requests there is nothing to wait for. */
function unmeasuredHttp({ probes }: AgentReport): Notice | undefined {
  const ofHttp = probes.filter(({ name }) => name.startsWith('http'));
  if (ofHttp.some(({ mode }) => mode !== 'none')) return undefined;
  const remedies = [...new Set(ofHttp.flatMap(({ lacking }) => lacking.map(lackText)))];
  return {
    kind: 'missing',
    title: 'This node measures no requests.',
    text: 'No probe of HTTP is loaded.',
    remedies:
      remedies.length > 0 ? remedies : ['Name http under "probes" in the configuration of the agent.'],
  };
}

const warmingUp = ({ notReady }: AgentReport): Notice => ({
  kind: 'empty',
  title: 'The agent is warming up.',
  text: `${capitalized(notReady ?? 'ready')}. The kernel takes some seconds to load the probes.`,
  remedies: [],
});

const nobody = ({ unknownRequests, historySeconds }: AgentReport): Notice => ({
  kind: 'empty',
  title: 'No version has answered a request yet.',
  text:
    unknownRequests > 0
      ? `${formatCount(unknownRequests)} requests were seen of cgroups that nobody gives a name.`
      : `No HTTP request was seen on this node in the last ${minutes(historySeconds)}.`,
  remedies:
    unknownRequests > 0
      ? [
          'Name them: workloads.static in the configuration, or labels of the containers or pods.',
          'Another version of the same app then shows here by itself.',
        ]
      : ['Send it some traffic.', 'TLS is not seen, unless something in front of the service takes it off.'],
});

const vanished = (
  { app }: HistoryAnswer,
  apps: readonly AppAnswer[],
  { historySeconds }: AgentReport,
): Notice => ({
  kind: 'empty',
  title: `${app} has had no request in the last ${minutes(historySeconds)}.`,
  text: 'It may have been stopped, renamed, or moved to another node.',
  remedies: [
    ...(apps.length > 0
      ? [
          `Choose another app above: ${apps
            .slice(0, 10)
            .map((one) => one.app)
            .join(', ')}.`,
        ]
      : []),
    'If it comes back, it shows here by itself.',
  ],
});

const single = (version: string, { app }: AppAnswer, { historySeconds }: AgentReport): Notice => ({
  kind: 'single-version',
  title: `Only ${version} of ${app} has traffic.`,
  text: `It takes two versions on this node within ${minutes(historySeconds)} to compare them.`,
  remedies: ['Wait for the rollout: the second version shows here by itself.'],
});

const missing = (message: string): Notice => ({
  kind: 'missing',
  title: 'A version that was chosen has no traffic.',
  text: message,
  remedies: ['Choose another version above.'],
});

const minutes = (seconds: number) => `${Math.round(seconds / 60)} min`;

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
