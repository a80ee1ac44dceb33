// In: expositions, the agent's health and its page. Out: an HTTP server: /, /metrics, /healthz, /readyz, /api/v1.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { Api } from '../history/api.ts';
import { createLane } from '../http/lane.ts';
import { startListener, type ListenerOptions, type RunningServer } from '../http/listener.ts';
import type { WebConfig } from '../http/web-config.ts';
import type { Exposition } from './families.ts';
import { negotiate, takesGzip, type Format } from './negotiate.ts';
import type { Page } from './page.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly webConfig?: WebConfig;
  readonly log: ListenerOptions['log'];
  readonly expositions: Readonly<Record<Format, Exposition>>;
  /** Undefined when ready, or why not yet or no more. */
  readonly notReady: () => string | undefined;
  /** The series as JSON, for `plumbline top`. */
  readonly series: () => unknown;
  /** What else is under /api/v1/. */
  readonly api: Api;
  /** Undefined where it was not built. */
  readonly page: Page | undefined;
}

/**
 * Listens, or rejects with a message that names the address and the remedy. Health is open to everybody; all else
 * needs what the web configuration asks for.
 *
 * @throws Error when the address is in use or not ours
 */
export const startServer = (options: ServerOptions): Promise<RunningServer> => {
  const lane = createLane(mostAnswers);
  return startListener({
    ...options,
    openPaths: health,
    handler: (request, response) => {
      const send = () => answer(options, request, response);
      return health.includes(request.url ?? '') ? send() : lane(response, send);
    },
  });
};

/** Each takes up to half a megabyte until its client has read it; Prometheus' own exporters give as many. */
const mostAnswers = 40;
const health = ['/healthz', '/readyz'];

const paths = [
  '/',
  '/metrics',
  '/healthz',
  '/readyz',
  '/api/v1/series',
  '/api/v1/agent',
  '/api/v1/apps',
  '/api/v1/history',
  '/api/v1/verdict',
];

const answer = async (options: ServerOptions, request: IncomingMessage, response: ServerResponse) => {
  const send = (status: number, contentType: string, body: string) => {
    response.writeHead(status, { 'content-type': contentType });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const text = 'text/plain; charset=utf-8';
  const json = 'application/json';
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    // Nobody waits for the body that may follow.
    response.setHeader('connection', 'close');
    response.setHeader('allow', 'GET, HEAD');
    send(405, text, 'Only GET and HEAD.\n');
    return;
  }
  const [path = '', query = ''] = request.url?.split('?', 2) ?? [];
  switch (path) {
    case '/metrics': {
      const { contentType, scrape } = options.expositions[negotiate(request.headers.accept)];
      response.setHeader('vary', 'accept, accept-encoding');
      await sendLarge(request, response, contentType, scrape());
      return;
    }
    case '/healthz':
      send(200, text, 'ok\n');
      return;
    case '/readyz': {
      const reason = options.notReady();
      send(reason === undefined ? 200 : 503, text, `${reason ?? 'ready'}\n`);
      return;
    }
    case '/api/v1/series':
      await sendLarge(request, response, json, [JSON.stringify(options.series())]);
      return;
    default: {
      if (options.page?.(path, request, response) === true) return;
      const found = options.api(path, new URLSearchParams(query));
      if (found === undefined) {
        send(404, text, `Not here. See ${paths.join(', ')}.\n`);
        return;
      }
      response.statusCode = found.status;
      await sendLarge(request, response, json, [`${JSON.stringify(found.body)}\n`]);
    }
  }
};

/** Compressed, if the client takes it, at the level that costs least: metrics shrink to a thirtieth. */
const sendLarge = async (
  request: IncomingMessage,
  response: ServerResponse,
  contentType: string,
  body: Iterable<string> | AsyncIterable<Uint8Array>,
): Promise<void> => {
  const isCompressed = takesGzip(request.headers['accept-encoding']);
  response.setHeader('content-type', contentType);
  if (isCompressed) response.setHeader('content-encoding', 'gzip');
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const source = Readable.from(body);
  const sent = isCompressed
    ? pipeline(source, createGzip({ level: constants.Z_BEST_SPEED }), response)
    : pipeline(source, response);
  // A client that goes away before the end is no news.
  await sent.catch(() => undefined);
};
