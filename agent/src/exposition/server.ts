// In: expositions and the agent's health. Out: an HTTP server: /metrics, /healthz, /readyz, /api/v1.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Api } from '../history/api.ts';
import type { Exposition } from './families.ts';
import { negotiate, type Format } from './negotiate.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly expositions: Readonly<Record<Format, Exposition>>;
  /** Undefined when ready, or why not yet or no more. */
  readonly notReady: () => string | undefined;
  /** The series as JSON, for `plumbline top`. */
  readonly series: () => unknown;
  /** What else is under /api/v1/. */
  readonly api: Api;
}

/** A listening server. */
export interface RunningServer {
  readonly url: string;
  /** Resolves when no connection is left. */
  readonly close: () => Promise<void>;
}

/**
 * Listens, or rejects with a message that names the address and the remedy.
 *
 * @throws Error when the address is in use or not ours
 */
export const startServer = async (options: ServerOptions): Promise<RunningServer> => {
  const server = createServer((request, response) => void answer(options, request, response));
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  server.keepAliveTimeout = 75_000;
  server.maxConnections = 512;
  server.listen(options.port, options.host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(listenAdvice(options, cause), { cause });
  }
  return { url: urlOf(server, options.host), close: () => close(server) };
};

const paths = [
  '/metrics',
  '/healthz',
  '/readyz',
  '/api/v1/series',
  '/api/v1/apps',
  '/api/v1/history',
  '/api/v1/verdict',
];

const answer = async (options: ServerOptions, request: IncomingMessage, response: ServerResponse) => {
  const send = (status: number, contentType: string, body: string) => {
    response.writeHead(status, { 'content-type': contentType, 'x-content-type-options': 'nosniff' });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const text = 'text/plain; charset=utf-8';
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(405, text, 'Only GET and HEAD.\n');
    return;
  }
  const [path = '', query = ''] = request.url?.split('?', 2) ?? [];
  switch (path) {
    case '/metrics': {
      const { contentType, scrape } = options.expositions[negotiate(request.headers.accept)];
      response.writeHead(200, { 'content-type': contentType, vary: 'accept' });
      if (request.method === 'HEAD') response.end();
      // A client that goes away before the end is no news.
      else await pipeline(Readable.from(scrape()), response).catch(() => undefined);
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
      send(200, 'application/json', JSON.stringify(options.series()));
      return;
    case '/':
      send(200, text, `Plumbline agent\n\n${paths.join('\n')}\n`);
      return;
    default: {
      const found = options.api(path, new URLSearchParams(query));
      if (found === undefined) send(404, text, `Not here. See ${paths.join(', ')}.\n`);
      else send(found.status, 'application/json', `${JSON.stringify(found.body)}\n`);
    }
  }
};

const close = async (server: Server) => {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
};

const urlOf = (server: Server, host: string): string => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
};

const listenAdvice = ({ host, port }: ServerOptions, cause: unknown): string => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const remedy: Record<string, string> = {
    EADDRINUSE: `another process listens there (ss -ltnp 'sport = :${port}' names it); stop it or set "listen"`,
    EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE; set "listen" to a higher one',
    EADDRNOTAVAIL: 'no interface of this node has that address; set "listen"',
  };
  return `Cannot listen on ${host}:${port} (${code}): ${remedy[code] ?? 'set "listen" to another address'}`;
};
