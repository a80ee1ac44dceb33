// In: PromQL. Out: what a Prometheus (or Thanos, Mimir, Cortex) answers; or an error that says why it does not.
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** Where the database is and how it knows us. */
export interface PrometheusOptions {
  /** With a path where the API lies below one, such as http://mimir/prometheus. */
  readonly url: string;
  /** Such as X-Scope-OrgID for the tenant. */
  readonly headers: Readonly<Record<string, string>>;
  /** Read anew for each query: Kubernetes rotates tokens. */
  readonly bearerTokenFile?: string | undefined;
  readonly tls: {
    readonly caFile?: string | undefined;
    readonly certFile?: string | undefined;
    readonly keyFile?: string | undefined;
    readonly serverName?: string | undefined;
  };
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
  const base = new URL(options.url);
  const isTls = base.protocol === 'https:';
  const agent = isTls ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });

  const ask = async (path: string, parameters: Readonly<Record<string, string>>): Promise<Answer> => {
    const body = new URLSearchParams({ ...parameters, timeout: `${options.timeoutMs / 1000}s` }).toString();
    const headers = await headersOf(options, base, body);
    const tls = isTls ? await tlsOf(options) : {};
    const url = new URL(`${base.pathname.replace(/\/$/, '')}/api/v1/${path}`, base);
    const text = await new Promise<string>((resolve, reject) => {
      const send = isTls ? httpsRequest : httpRequest;
      const signal = AbortSignal.timeout(options.timeoutMs);
      const request = send(url, { method: 'POST', agent, headers, signal, ...tls }, (response) => {
        readBody(response).then(resolve, reject);
      });
      request.on('error', reject);
      request.end(body);
    }).catch((cause: unknown) => {
      throw new PrometheusError(reasonOf(cause, base, options.timeoutMs), { cause });
    });
    return parseAnswer(text, base);
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

const headersOf = async (options: PrometheusOptions, base: URL, body: string) => {
  const headers: Record<string, string | number> = {
    ...options.headers,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': Buffer.byteLength(body),
  };
  if (base.username !== '') {
    const user = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`;
    headers.authorization = `Basic ${Buffer.from(user).toString('base64')}`;
  }
  if (options.bearerTokenFile !== undefined)
    headers.authorization = `Bearer ${(await readSecret(options.bearerTokenFile)).trim()}`;
  return headers;
};

const tlsOf = async ({ tls: { caFile, certFile, keyFile, serverName } }: PrometheusOptions) => ({
  ...(caFile !== undefined && { ca: await readSecret(caFile) }),
  ...(certFile !== undefined && { cert: await readSecret(certFile) }),
  ...(keyFile !== undefined && { key: await readSecret(keyFile) }),
  ...(serverName !== undefined && { servername: serverName }),
});

const readSecret = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new PrometheusError(`Cannot read ${file}, which the connection to Prometheus needs`, { cause });
  }
};

const readBody = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error(`its answer is larger than ${maxAnswerBytes / 1e6} MB`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  const { statusCode = 0 } = response;
  // Prometheus explains a refusal in JSON; anything else comes from a proxy and is not repeated.
  if (statusCode === 200 || text.startsWith('{')) return text;
  throw new Error(`it answers with status ${statusCode}`);
};

const parseAnswer = (text: string, base: URL): Answer => {
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
  throw new PrometheusError(`Prometheus at ${base.host} refuses a query: ${reason}`, { isRefusal: true });
};

const reasonOf = (cause: unknown, base: URL, timeoutMs: number): string => {
  if (cause instanceof PrometheusError) return cause.message;
  if (cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError'))
    return `Prometheus at ${base.host} has not answered within ${timeoutMs / 1000} s`;
  return `Prometheus at ${base.host} does not answer: ${cause instanceof Error ? cause.message || cause.name : String(cause)}`;
};
