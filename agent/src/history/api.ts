// In: the query of a request. Out: status and JSON of /api/v1/apps, /api/v1/history and /api/v1/verdict.
import { judge, type JudgeOptions } from '@plumbline/verdict';
import { verdictAnswer } from './answer.ts';
import type { History } from './history.ts';
import { seenApps, verdictInput, type SeenApp } from './input.ts';
import { armParameters, checkQuery, QueryError, readSubject } from './query.ts';
import { findSubject } from './subject.ts';

/** What is answered: a status and what becomes its JSON. */
export interface Answer {
  readonly status: 200 | 400;
  readonly body: unknown;
}

export interface ApiOptions {
  readonly history: History;
  /** Name of this node in the cells. */
  readonly node: string;
  readonly options: JudgeOptions;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Answers by path, or undefined for a path that is not of this API. */
export type Api = (path: string, query: URLSearchParams) => Answer | undefined;

/**
 * The history over HTTP. Wrong parameters are a 400 that says what was expected; no data is a 200 whose verdict is
 * `inconclusive`, since those who roll out take any other status for a failure of ours.
 */
export const createApi = ({ history, node, options, now = Date.now }: ApiOptions): Api => {
  const answerHistory = (query: URLSearchParams): Answer => {
    const parameters = readSubject(query, [...armParameters, 'since']);
    const { message, ...subject } = findSubject(seenApps(history), parameters);
    const input = verdictInput(history, subject, node, now() / 1000, parameters.since);
    return ok({ namespace: subject.namespace, message, ...input });
  };

  const answerVerdict = (query: URLSearchParams): Answer => {
    const { message, ...subject } = findSubject(seenApps(history), readSubject(query, armParameters));
    const verdict = judge(verdictInput(history, subject, node, now() / 1000), options);
    return ok(verdictAnswer(verdict, subject.namespace, message));
  };

  const answers: Readonly<Record<string, (query: URLSearchParams) => Answer>> = {
    '/api/v1/apps': (query) => {
      checkQuery(query, []);
      const { windowSeconds } = history;
      return ok({ node, windowSeconds, apps: seenApps(history).map(describeApp) });
    },
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

const describeApp = ({ namespace, app, versions, arms }: SeenApp) => ({
  namespace,
  app,
  canary: arms?.canary ?? null,
  baseline: arms?.baseline ?? null,
  versions,
});

const ok = (body: unknown): Answer => ({ status: 200, body });
