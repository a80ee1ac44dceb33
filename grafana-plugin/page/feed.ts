// What was asked for in; what the agent answers, again and again, out. Windows that are known are not asked for again.
import type { AgentReport } from '../../agent/src/exposition/report.ts';
import type { AppAnswer, AppsAnswer, HistoryAnswer } from '../../agent/src/history/api.ts';

/** What the page's user chose; what is absent the agent finds. */
export interface Wanted {
  readonly namespace?: string;
  readonly app?: string;
  readonly canary?: string;
  readonly baseline?: string;
}

/** The latest of everything. */
export interface Feed {
  readonly report?: AgentReport;
  readonly apps: readonly AppAnswer[];
  readonly history?: HistoryAnswer;
  /** Why the latest question had no answer; what else is here is then from before. */
  readonly fault?: string;
  /** When the agent answered last, in ms. */
  readonly answeredMs?: number;
}

export const noFeed: Feed = { apps: [] };

/** An answer that is none: its message is for people. */
class AskError extends Error {
  override readonly name = 'AskError';
}

const patienceMs = 10_000;
const retryMs = 2000;

/** Asks until `signal` aborts, and tells each time what is known then. Starts from what is known. */
export async function follow(
  known: Feed,
  wanted: Wanted,
  onFeed: (feed: Feed) => void,
  signal: AbortSignal,
): Promise<void> {
  let feed = known;
  for (;;) {
    const askedMs = performance.now();
    feed = await poll(feed, wanted, signal);
    if (signal.aborted) return;
    onFeed(feed);
    const periodMs = feed.fault === undefined ? 1000 * (feed.report?.windowSeconds ?? 1) : retryMs;
    await untilNext(Math.max(500, periodMs - (performance.now() - askedMs)), signal);
  }
}

async function poll(feed: Feed, wanted: Wanted, signal: AbortSignal): Promise<Feed> {
  try {
    const [report, { apps }] = await Promise.all([
      ask<AgentReport>('agent', signal),
      ask<AppsAnswer>('apps', signal),
    ]);
    const subject = subjectOf(apps, wanted, feed.history);
    const history = subject && (await askHistory(feed.history, subject, report.historySeconds, signal));
    return { report, apps, ...(history && { history }), answeredMs: Date.now() };
  } catch (error) {
    const text = error instanceof AskError ? error.message : 'The agent does not answer.';
    return { ...feed, fault: text };
  }
}

/** The app that is asked for; or the one that is shown, and at first the busiest of those that can be compared. */
export function subjectOf(
  apps: readonly AppAnswer[],
  wanted: Wanted,
  shown: Pick<HistoryAnswer, 'app' | 'namespace'> | undefined,
): Wanted | undefined {
  if (wanted.app !== undefined) return wanted;
  const isShown = ({ app, namespace }: AppAnswer) => app === shown?.app && namespace === shown.namespace;
  const requestsOf = ({ versions }: AppAnswer) => versions.reduce((sum, { requests }) => sum + requests, 0);
  const rank = (one: AppAnswer) =>
    [one.canary === null ? 0 : 1, isShown(one) ? 1 : 0, requestsOf(one)] as const;
  const [first] = [...apps].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    return right[0] - left[0] || right[1] - left[1] || right[2] - left[2];
  });
  return first && { namespace: first.namespace, app: first.app };
}

async function askHistory(
  kept: HistoryAnswer | undefined,
  subject: Wanted,
  historySeconds: number,
  signal: AbortSignal,
): Promise<HistoryAnswer> {
  const query = new URLSearchParams({ ...subject });
  const since = kept?.windows.at(-1)?.end;
  if (kept === undefined || since === undefined) return ask(`history?${query}`, signal);
  const answer = await ask<HistoryAnswer>(`history?${query}&since=${since}`, signal);
  return extended(kept, answer, historySeconds) ?? ask(`history?${query}`, signal);
}

/** What was known with what is new, as old as the agent's own memory; undefined where the two do not belong together. */
export function extended(
  kept: HistoryAnswer,
  answer: HistoryAnswer,
  historySeconds: number,
): HistoryAnswer | undefined {
  const same = ['namespace', 'app', 'canary', 'baseline', 'begin', 'windowSeconds'] as const;
  if (same.some((key) => kept[key] !== answer[key])) return undefined;
  const oldest = answer.now - historySeconds;
  return { ...answer, windows: [...kept.windows, ...answer.windows].filter(({ end }) => end > oldest) };
}

async function ask<Answer>(path: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(`api/v1/${path}`, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
  });
  if (response.ok) return (await response.json()) as Answer;
  if (response.status === 401) throw new AskError('The agent wants a password: load the page again.');
  const { error } = (await response.json().catch(() => ({}))) as { error?: string };
  throw new AskError(error ?? `The agent answers with status ${response.status}.`);
}

/** Nobody looks at a page in the background: it waits until it is seen. */
async function untilNext(ms: number, signal: AbortSignal): Promise<void> {
  await event((done) => setTimeout(done, ms), signal);
  while (document.hidden && !signal.aborted) {
    await event((done) => {
      document.addEventListener('visibilitychange', done, { once: true });
    }, signal);
  }
}

const event = (listen: (done: () => void) => void, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    listen(resolve);
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
