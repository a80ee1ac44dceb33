// In: an address, and how we are known there. Out: what it answers, or an error that says why it does not.
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { readBody } from './body.ts';

/** How we are known to a server. Files are read anew for each request: tokens and certificates are rotated. */
export interface Access {
  readonly headers?: Readonly<Record<string, string>>;
  readonly bearerTokenFile?: string | undefined;
  readonly tls?: {
    readonly caFile?: string | undefined;
    readonly certFile?: string | undefined;
    readonly keyFile?: string | undefined;
    readonly serverName?: string | undefined;
  };
}

export interface ClientOptions extends Access {
  /** Who is asked, for messages, such as "Prometheus". */
  readonly name: string;
  /** With a path where the server lies below one; with user and password for basic authentication. */
  readonly url: URL;
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** No answer, or none of use; the message repeats no credentials. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Sends GET without parameters, and a form by POST with them. */
export type Client = (path: string, form?: Readonly<Record<string, string>>) => Promise<Answer>;

/** Returns a client that keeps its connections. */
export const createClient = (options: ClientOptions): Client => {
  const { url: base, name, timeoutMs } = options;
  const isTls = base.protocol === 'https:';
  const agent = isTls ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const send = isTls ? httpsRequest : httpRequest;

  return async (path, form) => {
    const body = form && new URLSearchParams(form).toString();
    const url = new URL(base.pathname.replace(/\/$/, '') + path, base);
    const signal = AbortSignal.timeout(timeoutMs);
    const headers = { ...(await headersOf(options)), ...(body !== undefined && formHeaders(body)) };
    const tls = isTls ? await tlsOf(options) : {};
    const method = body === undefined ? 'GET' : 'POST';
    return new Promise<Answer>((resolve, reject) => {
      const request = send(url, { method, agent, headers, signal, ...tls }, (response) => {
        readBody(response, options.maxAnswerBytes).then((text) => {
          resolve({ status: response.statusCode ?? 0, text });
        }, reject);
      });
      request.on('error', reject);
      request.end(body);
    }).catch((cause: unknown) => {
      throw new NoAnswer(`${name} at ${base.host} ${reasonOf(cause, timeoutMs)}`, { cause });
    });
  };
};

const formHeaders = (body: string) => ({
  'content-type': 'application/x-www-form-urlencoded',
  'content-length': Buffer.byteLength(body),
});

const headersOf = async (options: ClientOptions): Promise<Record<string, string>> => ({
  ...options.headers,
  ...(options.bearerTokenFile !== undefined && {
    authorization: `Bearer ${(await readSecret(options.bearerTokenFile, options)).trim()}`,
  }),
});

const tlsOf = async (options: ClientOptions) => {
  const { caFile, certFile, keyFile, serverName } = options.tls ?? {};
  return {
    ...(caFile !== undefined && { ca: await readSecret(caFile, options) }),
    ...(certFile !== undefined && { cert: await readSecret(certFile, options) }),
    ...(keyFile !== undefined && { key: await readSecret(keyFile, options) }),
    ...(serverName !== undefined && { servername: serverName }),
  };
};

const readSecret = async (file: string, { name }: ClientOptions): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new NoAnswer(`Cannot read ${file}, which the connection to ${name} needs`, { cause });
  }
};

const reasonOf = (cause: unknown, timeoutMs: number): string => {
  if (!(cause instanceof Error)) return `does not answer: ${String(cause)}`;
  if (cause.name === 'TimeoutError' || cause.name === 'AbortError')
    return `has not answered within ${timeoutMs / 1000} s`;
  return `does not answer: ${cause.message || ('code' in cause ? String(cause.code) : cause.name)}`;
};
