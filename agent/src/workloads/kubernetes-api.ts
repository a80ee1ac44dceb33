// In: how to reach a Kubernetes API server; out: the pods of one node, and what becomes of them, unchecked.
// Own requests and no client library: @kubernetes/client-node 1.4 takes 75 MB resident to import, node:https 2 MB, and the
// agent is to stay under 110 MB with 250 pods; 2.0 does not load on Node 20.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { z } from 'zod';
import { readBody } from '../http/body.ts';

/** Files are read anew for each request: the kubelet renews the token, and the CA may change. */
export interface ApiAccess {
  readonly server: string;
  readonly tokenFile: string;
  readonly caFile: string;
  readonly nodeName: string;
  /** Longest wait for a list, or for a watch to begin. */
  readonly timeoutMs: number;
}

/** An answer other than 200. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface PodList {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

/** Of an event: which version of the world it makes. */
export const resourceVersionOf = (object: unknown): string | undefined =>
  versioned.safeParse(object).data?.metadata.resourceVersion;

/** A pod is at most 1.5 MiB, the limit of etcd; some 250 with all they carry are about 3 MiB. */
const maxListBytes = 32 * 1024 * 1024;
const maxEventBytes = 4 * 1024 * 1024;

const versioned = z.object({ metadata: z.object({ resourceVersion: z.string().min(1) }) });
const listSchema = z.object({
  items: z.array(z.unknown()).nullish(),
  metadata: z.object({ resourceVersion: z.string().min(1) }),
});
const eventSchema = z.object({ type: z.string(), object: z.unknown() });
const statusSchema = z.object({ code: z.number(), message: z.string().nullish() });

/**
 * Lists the pods of the node.
 *
 * @param resourceVersion `0` takes what the API server has in memory; `` the truth from etcd, which costs it more
 * @throws ApiError for an answer other than 200; Error for a broken, late or overlong one
 */
export const listPods = async (
  access: ApiAccess,
  resourceVersion: '0' | '',
  signal: AbortSignal,
): Promise<PodList> => {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(access.timeoutMs)]);
  const response = await request(access, resourceVersion === '' ? {} : { resourceVersion }, deadline);
  const list = listSchema.parse(JSON.parse(await readBody(response, maxListBytes)));
  return { items: list.items ?? [], resourceVersion: list.metadata.resourceVersion };
};

/**
 * Yields what happens to the pods of the node since `resourceVersion`, bookmarks included; returns when the server
 * ends the watch, which it does after some minutes.
 *
 * @param onOpen called when the server has agreed
 * @throws ApiError for an answer other than 200 or an event that is an error (410: the version is too old)
 */
export async function* watchPods(
  access: ApiAccess,
  resourceVersion: string,
  signal: AbortSignal,
  onOpen: () => void,
): AsyncGenerator<WatchEvent> {
  // Spread over a minute, or the watches of all nodes would come back at the same moment for ever.
  const timeoutSeconds = Math.round(240 + 60 * Math.random());
  const query = {
    watch: '1',
    allowWatchBookmarks: 'true',
    resourceVersion,
    timeoutSeconds: String(timeoutSeconds),
  };
  const stop = new AbortController();
  const late = setTimeout(() => {
    stop.abort(new Error(`Expected an answer within ${access.timeoutMs} ms`));
  }, access.timeoutMs);
  const overdue = AbortSignal.timeout((timeoutSeconds + 30) * 1000);
  try {
    const response = await request(access, query, AbortSignal.any([signal, stop.signal, overdue]));
    clearTimeout(late);
    onOpen();
    for await (const line of linesOf(response, maxEventBytes)) {
      const event = eventSchema.parse(JSON.parse(line));
      if (event.type === 'ERROR') throw errorOf(event.object);
      yield { type: event.type, object: event.object };
    }
  } finally {
    clearTimeout(late);
    stop.abort();
  }
}

const request = async (
  { server, tokenFile, caFile, nodeName }: ApiAccess,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<IncomingMessage> => {
  const [token, ca] = await Promise.all([readFile(tokenFile, 'utf8'), readFile(caFile)]);
  const url = new URL('/api/v1/pods', server);
  url.search = new URLSearchParams({ fieldSelector: `spec.nodeName=${nodeName}`, ...query }).toString();
  const headers = { authorization: `Bearer ${token.trim()}`, accept: 'application/json' };
  const sent = get(url, { ca, headers, signal, agent: false });
  // What ends the request after its head reaches the reader of the body as well.
  sent.on('error', () => undefined);
  // A node that vanishes says nothing: without this, a watch of it would hang until its deadline.
  sent.on('socket', (socket) => socket.setKeepAlive(true, 15_000));
  const [response] = (await once(sent, 'response', { signal })) as [IncomingMessage];
  if (response.statusCode === 200) return response;
  const body = await readBody(response, 65_536).catch(() => '');
  throw new ApiError(response.statusCode ?? 0, messageOf(body));
};

const messageOf = (body: string): string => {
  try {
    return statusSchema.parse(JSON.parse(body)).message ?? '';
  } catch {
    return body.slice(0, 200);
  }
};

const errorOf = (object: unknown): Error => {
  const { data } = statusSchema.safeParse(object);
  return data === undefined
    ? new Error('Expected a Status in an event of type ERROR')
    : new ApiError(data.code, data.message ?? '');
};

/** Whole lines; what a broken stream leaves of the last one is nobody's. */
async function* linesOf(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...pending, chunk.subarray(start, end)]).toString('utf8');
      pending = [];
      bytes = 0;
      start = end + 1;
      if (line.trim() !== '') yield line;
    }
    const rest = chunk.subarray(start);
    bytes += rest.length;
    if (bytes > maxBytes) throw new Error(`Expected an event of at most ${maxBytes} bytes, got more`);
    pending.push(rest);
  }
}
