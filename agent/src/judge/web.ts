// /api/v1/verdict: for Argo Rollouts' web metric, and for people.
import { z } from 'zod';
import { armParameters, longestValue } from '../history/query.ts';
import type { Wish } from './service.ts';
import { expectedSince, readSince } from './since.ts';
import { ok, parseBody, RequestError, type Surface } from './surface.ts';

const parameters = [...armParameters, 'since', 'by'] as const;

/**
 * Answers 200 with the verdict whatever it is: Argo takes any other status for an error of ours, and the fifth in a
 * row ends the rollout. So a version that is empty, as a template makes it that has no value yet, is one without
 * traffic. Only a query that is wrong in itself is a 400. Parameters come in the query, or as JSON in a POST.
 */
export const webSurface: Surface = ({ method, path, query, body }, service) => {
  if (path !== '/api/v1/verdict') return undefined;
  if (method !== 'GET' && method !== 'POST') return { status: 405, body: 'Only GET and POST.\n' };
  const posted = body === '' ? {} : parseBody(z.record(z.string(), z.string()), body);
  return service.verdict(readWish([...query, ...Object.entries(posted)])).then(ok);
};

const readWish = (given: readonly (readonly [string, string])[]): Wish => {
  const found = new Map(given);
  if (found.size < given.length) throw new RequestError('Expected each parameter once');
  for (const [name, value] of found) {
    if (!parameters.some((known) => known === name))
      throw new RequestError(`Expected only ${parameters.join(', ')}`);
    if (value.length > longestValue)
      throw new RequestError(`Expected ${name} to have up to ${longestValue} characters`);
  }
  const app = found.get('app') ?? '';
  if (app === '') throw new RequestError('Expected app');
  return {
    app,
    namespace: found.get('namespace'),
    canary: found.get('canary'),
    baseline: found.get('baseline'),
    by: readBy(found.get('by')),
    since: readTime(found.get('since')),
  };
};

const readBy = (by: string | undefined): Wish['by'] => {
  if (by !== undefined && by !== 'version' && by !== 'app')
    throw new RequestError('Expected by to be version or app');
  return by;
};

const readTime = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const time = readSince(text);
  if (Number.isNaN(time)) throw new RequestError(`Expected since to be ${expectedSince(text)}`);
  return time;
};
