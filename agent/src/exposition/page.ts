// In: the page as it was built (grafana-plugin/page). Out: its files, each with what a browser has to be told.
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { takesGzip } from './negotiate.ts';

/** Answers a request for `/` or below `/page/`; false where there is no such file. */
export type Page = (path: string, request: IncomingMessage, response: ServerResponse) => boolean;

const built = fileURLToPath(new URL('../../dist/page', import.meta.url));

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

interface PageFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
  readonly isCompressed: boolean;
}

/**
 * Reads the page into memory, half a megabyte: once the agent is another user it may not be allowed to any more.
 * Undefined where it was not built.
 */
export const loadPage = async (folder = built): Promise<Page | undefined> => {
  const names = await readdir(folder, { recursive: true }).catch((): string[] => []);
  if (!names.includes('index.html')) return undefined;
  const html = await readFile(`${folder}/index.html`, 'utf8');
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const isCompressed = name.endsWith('.gz');
    const path = isCompressed ? name.slice(0, -'.gz'.length) : name;
    const type = types[extname(path)];
    if (type === undefined) continue;
    const body = await readFile(`${folder}/${name}`);
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`;
    files.set(`/page/${path}`, { body, type, etag, isCompressed });
  }
  return (path, request, response) => {
    const file = files.get(path);
    if (path === '/') sendHtml(html, request, response);
    else if (file) sendFile(file, request, response);
    return path === '/' || file !== undefined;
  };
};

/** The page runs its own script and nothing else, and talks to nobody but this agent. */
const policyWith = (nonce: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    // What the script styles; style attributes are not let through by it.
    `style-src 'self' 'nonce-${nonce}'`,
    "connect-src 'self'",
    "font-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const sendHtml = (html: string, request: IncomingMessage, response: ServerResponse) => {
  const nonce = randomBytes(16).toString('base64');
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policyWith(nonce),
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : html.replace('%NONCE%', nonce));
};

/** A browser that has the file asks whether it is still the same, and gets it no second time. */
const sendFile = (
  { body, type, etag, isCompressed }: PageFile,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
) => {
  response.setHeader('etag', etag);
  response.setHeader('cache-control', 'no-cache');
  if (isCompressed) response.setHeader('vary', 'accept-encoding');
  if (headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  const asIs = isCompressed && takesGzip(headers['accept-encoding']);
  if (asIs) response.setHeader('content-encoding', 'gzip');
  const sent = isCompressed && !asIs ? gunzipSync(body) : body;
  response.writeHead(200, { 'content-type': type, 'content-length': sent.length });
  response.end(method === 'HEAD' ? undefined : sent);
};
