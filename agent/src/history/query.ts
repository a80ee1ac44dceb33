// In: the query of a request. Out: its parameters, checked; or an error that says what was expected. Pure.

/** A query that is wrong; the message repeats nothing of it. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/** What a client may say of the versions that it wants compared. */
export interface Parameters {
  readonly app: string;
  readonly namespace: string | undefined;
  readonly canary: string | undefined;
  readonly baseline: string | undefined;
  /** Unix seconds. */
  readonly since: number | undefined;
}

export const armParameters = ['namespace', 'app', 'canary', 'baseline'] as const;
/** Longest label value that Kubernetes allows, and more. */
export const longestValue = 253;

/**
 * Checks that only `known` parameters are there, each once and not empty.
 *
 * @throws QueryError naming the first that is wrong
 */
export const checkQuery = (query: URLSearchParams, known: readonly string[]): void => {
  for (const [name, value] of query) {
    if (!known.includes(name)) throw new QueryError(`Expected only ${known.join(', ') || 'no parameters'}`);
    if (query.getAll(name).length > 1) throw new QueryError(`Expected ${name} once`);
    if (value === '' || value.length > longestValue)
      throw new QueryError(`Expected ${name} to have 1 to ${longestValue} characters`);
  }
};

/**
 * Returns what a query says of an app.
 *
 * @throws QueryError as `checkQuery`, and where app is missing or canary and baseline are the same
 */
export const readSubject = (query: URLSearchParams, known: readonly string[]): Parameters => {
  checkQuery(query, known);
  const read = (name: string) => query.get(name) ?? undefined;
  const [app, canary, since] = [read('app'), read('canary'), read('since')];
  if (app === undefined) throw new QueryError('Expected app; /api/v1/apps tells which there are');
  if (canary !== undefined && canary === read('baseline'))
    throw new QueryError('Expected canary and baseline to be two versions, got the same');
  if (since !== undefined && !Number.isFinite(Number(since)))
    throw new QueryError('Expected since to be Unix seconds');
  return {
    app,
    namespace: read('namespace'),
    canary,
    baseline: read('baseline'),
    since: since === undefined ? undefined : Number(since),
  };
};
