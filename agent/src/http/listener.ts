// In: a handler, an address, who may come in. Out: a listening HTTP(S) server that slow and greedy clients cannot stop.
import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { laterSeconds, type PasswordAnswer } from './passwords.ts';
import { openWebConfig, type WebConfig } from './web-config.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly webConfig?: WebConfig;
  /** Bearer tokens, one of which every request needs; undefined where none is. */
  readonly tokens?: readonly string[] | undefined;
  /** Paths that are answered without a token or a password, such as /healthz. */
  readonly openPaths?: readonly string[];
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
  readonly log: Pick<Logger, 'error' | 'warn'>;
}

/** A listening server. */
export interface RunningServer {
  readonly url: string;
  /** Resolves when no connection is left. */
  readonly close: () => Promise<void>;
}

/** Whoever has not sent a whole head by then is gone. */
const headMs = 5000;
const requestMs = 10_000;
const checkEveryMs = 1000;
/** Whoever neither sends nor reads anything for so long, with an answer under way, is gone. */
const stillMs = 30_000;
const maxHeadBytes = 16_384;
/** Far more than a node or a cluster has scrapers: idle sockets alone cannot keep the next one out. */
const maxConnections = 8192;
const reloadEveryMs = 60_000;

/**
 * Listens, or rejects with a message that names the address and the remedy.
 *
 * @throws Error when the address is in use or not ours
 */
export const startListener = async (options: ListenerOptions): Promise<RunningServer> => {
  const { tls } = options.webConfig ?? openWebConfig;
  const limits = {
    maxHeaderSize: maxHeadBytes,
    headersTimeout: headMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: checkEveryMs,
    keepAliveTimeout: 75_000,
  };
  const answer = (request: IncomingMessage, response: ServerResponse) =>
    void admit(options, request, response);
  const server = tls
    ? createTlsServer({ ...limits, ...(await tls()) }, answer)
    : createServer(limits, answer);
  server.maxConnections = maxConnections;
  server.timeout = stillMs;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // Browsers open sockets ahead of their requests, and take what comes on one for the answer to the next: one that has
    // said nothing is closed without a word.
    const hasSpoken = 'bytesRead' in socket && Number(socket.bytesRead) > 0;
    const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
    // Nothing of a request that cannot be read is repeated.
    if (socket.writable && hasSpoken)
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    else socket.destroy();
  });
  const reload = tls && reloadCertificates(server as TlsServer, tls, options.log);
  server.listen(options.port, options.host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    clearInterval(reload);
    throw new Error(listenAdvice(options, cause), { cause });
  }
  return {
    url: urlOf(server, options.host, tls ? 'https' : 'http'),
    close: () => {
      clearInterval(reload);
      return close(server);
    },
  };
};

/** A body, up to `maxBytes`; undefined where there is more, and the answer is then given. */
export const readBody = async (
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): Promise<string | undefined> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      response.writeHead(413, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end(`Expected at most ${maxBytes} bytes.\n`);
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};

/** No answer is a page, and none may be used by one; the agent's page says itself what it may do. */
const safeHeaders = [
  ['x-content-type-options', 'nosniff'],
  [
    'content-security-policy',
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
] as const;

const admit = async (options: ListenerOptions, request: IncomingMessage, response: ServerResponse) => {
  for (const [name, value] of safeHeaders) response.setHeader(name, value);
  try {
    const path = request.url?.split('?', 1)[0] ?? '';
    const isOpen = options.openPaths?.includes(path) === true;
    const entry = isOpen ? 'right' : await mayEnter(options, request);
    if (entry === 'right') await options.handler(request, response);
    else refuse(options, entry, response);
  } catch (error) {
    // A client that goes away in the middle of its request is no news.
    if (response.destroyed || request.destroyed) {
      response.destroy();
      return;
    }
    options.log.error({ error: error instanceof Error ? error.stack : String(error) }, 'request failed');
    if (response.headersSent) response.destroy();
    else
      response
        .writeHead(500, { 'content-type': 'text/plain; charset=utf-8' })
        .end('Failed; the log says why.\n');
  }
};

const mayEnter = async (
  { tokens, webConfig: { checkPassword } = openWebConfig }: ListenerOptions,
  { headers: { authorization = '' }, socket }: IncomingMessage,
): Promise<PasswordAnswer> => {
  if (tokens === undefined && checkPassword === undefined) return 'right';
  const [scheme = '', credentials = ''] = authorization.split(' ', 2);
  if (tokens !== undefined && scheme.toLowerCase() === 'bearer')
    return tokens.some((token) => isSame(token, credentials)) ? 'right' : 'wrong';
  if (checkPassword === undefined || scheme.toLowerCase() !== 'basic') return 'wrong';
  const decoded = Buffer.from(credentials, 'base64').toString();
  const colon = decoded.indexOf(':');
  if (colon <= 0) return 'wrong';
  return checkPassword(decoded.slice(0, colon), decoded.slice(colon + 1), socket.remoteAddress ?? '');
};

const refuse = (
  { tokens }: ListenerOptions,
  entry: Exclude<PasswordAnswer, 'right'>,
  response: ServerResponse,
) => {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  if (entry === 'later') {
    response.writeHead(429, { 'retry-after': String(laterSeconds) }).end('Too many passwords at a time.\n');
    return;
  }
  const scheme = tokens ? 'Bearer' : 'Basic';
  response.writeHead(401, { 'www-authenticate': `${scheme} realm="plumbline"` }).end('Unauthorized.\n');
};

/** Compares in a time that does not tell how much of it is right. */
const isSame = (a: string, b: string): boolean => {
  const [left, right] = [a, b].map((value) => createHash('sha256').update(value).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
};

/** New certificates are taken up; while a file is being replaced, or is wrong, the old ones stay. */
const reloadCertificates = (
  server: TlsServer,
  tls: NonNullable<WebConfig['tls']>,
  log: ListenerOptions['log'],
) =>
  setInterval(() => {
    void tls()
      .then((options) => {
        server.setSecureContext(options);
      })
      .catch((error: unknown) => {
        log.warn({ error: String(error) }, 'certificates were not read anew');
      });
  }, reloadEveryMs).unref();

const close = async (server: Server) => {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
};

const urlOf = (server: Server, host: string, scheme: string): string => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
};

const listenAdvice = ({ host, port }: ListenerOptions, cause: unknown): string => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const remedy: Record<string, string> = {
    EADDRINUSE: `another process listens there (ss -ltnp 'sport = :${port}' names it); stop it or set "listen"`,
    EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE; set "listen" to a higher one',
    EADDRNOTAVAIL: 'no interface of this node has that address; set "listen"',
  };
  return `Cannot listen on ${host}:${port} (${code}): ${remedy[code] ?? 'set "listen" to another address'}`;
};
