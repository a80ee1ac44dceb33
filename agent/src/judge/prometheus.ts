// In: PromQL. Out: what a Prometheus (or Thanos, Mimir, Cortex) answers; or an error that says why it does not.
import { createClient, NoAnswer, type Access } from '../http/client.ts';

/** Where the database is and how it knows us; the tenant is a header, such as X-Scope-OrgID. */
export interface PrometheusOptions extends Access {
  /** With a path where the API lies below one, such as http://mimir/prometheus. */
  readonly url: string;
  readonly timeoutMs: number;
}

/** One series of an answer; native histograms come in `histograms`, everything else in `values`. */
export interface PrometheusSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values?: readonly (readonly [unixSeconds: number, value: string])[];
  readonly histograms?: readonly (readonly [unixSeconds: number, histogram: NativeHistogram])[];
}

/** A native histogram as JSON: each bucket with its bounds in seconds; the rule says which bound belongs to it. */
export interface NativeHistogram {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [rule: number, lower: string, upper: string, count: string])[];
}

/** Steps from `begin` to `end`, both included, in Unix seconds. */
export interface Steps {
  readonly begin: number;
  readonly end: number;
  readonly seconds: number;
}

export interface Prometheus {
  /** The newest value of each series, as a series of one value. */
  readonly query: (promql: string) => Promise<readonly PrometheusSeries[]>;
  readonly queryRange: (promql: string, steps: Steps) => Promise<readonly PrometheusSeries[]>;
  /** The database's clock, which is the one that counts: ours may be wrong. */
  readonly now: () => Promise<number>;
}

/** No answer, or none of use; the message repeats no credentials. */
export class PrometheusError extends Error {
  override readonly name = 'PrometheusError';
  /** Whether the database understood us and refused: asking again will not help. */
  readonly isRefusal: boolean;

  constructor(message: string, options: { cause?: unknown; isRefusal?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.isRefusal = options.isRefusal ?? false;
  }
}

/** More than this is a query that went wrong: an hour of a hundred nodes is a tenth of it. */
const maxAnswerBytes = 256e6;

/** Returns a client that keeps its connections. */
export const createPrometheus = (options: PrometheusOptions): Prometheus => {
  const url = new URL(options.url);
  const client = createClient({ ...options, name: 'Prometheus', url, maxAnswerBytes });

  const ask = async (path: string, parameters: Readonly<Record<string, string>>): Promise<Answer> => {
    const form = { ...parameters, timeout: `${options.timeoutMs / 1000}s` };
    const { status, text } = await client(`/api/v1/${path}`, form).catch((cause: unknown) => {
      throw cause instanceof NoAnswer ? new PrometheusError(cause.message, { cause }) : cause;
    });
    // Prometheus explains a refusal in JSON; anything else comes from a proxy and is not repeated.
    if (status !== 200 && !text.startsWith('{'))
      throw new PrometheusError(`Prometheus at ${url.host} answers with status ${status}`);
    return parseAnswer(status, text, url);
  };

  const series = async (path: string, parameters: Readonly<Record<string, string>>) => {
    const { data } = await ask(path, parameters);
    return data?.result ?? [];
  };
  return {
    query: async (query) =>
      (await series('query', { query })).map(({ metric, value, histogram }) => ({
        metric,
        ...(value && { values: [value] }),
        ...(histogram && { histograms: [histogram] }),
      })),
    queryRange: (query, { begin, end, seconds }) =>
      series('query_range', { query, start: String(begin), end: String(end), step: String(seconds) }),
    now: async () => {
      const [answer] = await series('query', { query: 'vector(0)' });
      return answer?.value?.[0] ?? Date.now() / 1000;
    },
  };
};

interface Answer {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly data?: { readonly result?: readonly AnswerSeries[] };
}

interface AnswerSeries extends PrometheusSeries {
  readonly value?: readonly [number, string];
  readonly histogram?: readonly [number, NativeHistogram];
}

/** Statuses of a query that cannot be understood or executed; 503 is one that took too long. */
const refusals: readonly number[] = [400, 422];

const parseAnswer = (status: number, text: string, base: URL): Answer => {
  let answer: Answer;
  try {
    answer = JSON.parse(text) as Answer;
  } catch (cause) {
    throw new PrometheusError(`Prometheus at ${base.host} does not answer in JSON; is the URL right?`, {
      cause,
    });
  }
  if (answer.status === 'success') return answer;
  const reason = typeof answer.error === 'string' ? answer.error.slice(0, 300) : 'no reason given';
  const isRefusal = refusals.includes(status);
  const fails = isRefusal ? 'refuses a query' : `fails at a query (status ${status})`;
  throw new PrometheusError(`Prometheus at ${base.host} ${fails}: ${reason}`, { isRefusal });
};
