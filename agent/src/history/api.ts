// In: the query of a request. Out: status and JSON of /api/v1/agent, /apps, /history and /verdict.
import { judge, nobody, pickArms, type JudgeOptions } from '@plumbline/verdict';
import { verdictAnswer } from './answer.ts';
import type { History } from './history.ts';
import { seenApps, shown, type SeenApp, type SeenApps, type Shown } from './input.ts';
import { armParameters, checkQuery, QueryError, readSubject } from './query.ts';
import { findSubject } from './subject.ts';

/** What is answered: a status and what becomes its JSON. */
export interface Answer {
  readonly status: 200 | 400;
  readonly body: unknown;
}

export interface ApiOptions {
  /** What the agent tells of itself. */
  readonly report: () => unknown;
  readonly history: History;
  /** Name of this node in the cells. */
  readonly node: string;
  readonly options: JudgeOptions;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** `/api/v1/apps`. */
export interface AppsAnswer {
  readonly node: string;
  readonly windowSeconds: number;
  readonly apps: readonly AppAnswer[];
}

/** An app; canary and baseline are null where only one version had requests. */
export interface AppAnswer extends Pick<SeenApp, 'namespace' | 'app' | 'versions'> {
  readonly canary: string | null;
  readonly baseline: string | null;
}

/** `/api/v1/history`; the message says what of what was asked for is not there. */
export interface HistoryAnswer extends Shown {
  readonly message: string | undefined;
}

/** Answers by path, or undefined for a path that is not of this API. */
export type Api = (path: string, query: URLSearchParams) => Answer | undefined;

/**
 * The history over HTTP. Wrong parameters are a 400 that says what was expected; no data is a 200 whose verdict is
 * `inconclusive`, since those who roll out take any other status for a failure of ours.
 */
export const createApi = ({ report, history, node, options, now = Date.now }: ApiOptions): Api => {
  const answerAgent = (query: URLSearchParams): Answer => {
    checkQuery(query, []);
    return ok(report());
  };

  const answerApps = (query: URLSearchParams): Answer => {
    checkQuery(query, []);
    const apps: AppsAnswer = {
      node,
      windowSeconds: history.windowSeconds,
      apps: describeApps(seenApps(history)),
    };
    return ok(apps);
  };

  const answerHistory = (query: URLSearchParams): Answer => {
    const parameters = readSubject(query, [...armParameters, 'since']);
    const { message, ...subject } = findSubject(seenApps(history), parameters);
    const answer: HistoryAnswer = {
      message,
      ...shown(history, subject, node, now() / 1000, parameters.since),
    };
    return ok(answer);
  };

  const answerVerdict = (query: URLSearchParams): Answer => {
    const { message, ...subject } = findSubject(seenApps(history), readSubject(query, armParameters));
    const verdict = judge(shown(history, subject, node, now() / 1000), options);
    return ok(verdictAnswer(verdict, subject.namespace, message));
  };

  const answers: Readonly<Record<string, (query: URLSearchParams) => Answer>> = {
    '/api/v1/agent': answerAgent,
    '/api/v1/apps': answerApps,
    '/api/v1/history': answerHistory,
    '/api/v1/verdict': answerVerdict,
  };

  return (path, query) => {
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    try {
      return answer?.(query);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      return { status: 400, body: { error: error.message } };
    }
  };
};

const describeApps = ({ begin, apps }: SeenApps): readonly AppAnswer[] =>
  apps.map((app) => {
    const { canary, baseline } = pickArms(app.versions, begin);
    const isPair = canary !== nobody && baseline !== nobody;
    return { ...app, canary: isPair ? canary : null, baseline: isPair ? baseline : null };
  });

const ok = (body: unknown): Answer => ({ status: 200, body });
