// In: pods. Out: an API server that lists and watches them as the real one does, over TLS, with faults on demand.
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';

export interface FakePod {
  readonly metadata: { readonly uid: string; readonly name: string; readonly namespace: string } & object;
  readonly spec: { readonly nodeName: string } & object;
  readonly status?: object;
}

/** How the next requests are answered, instead of truly; `stream` and `list` are told apart by the query. */
export type Fault = (request: { readonly isWatch: boolean }, response: ServerResponse) => boolean;

export interface FakeKubernetes {
  readonly server: string;
  readonly tokenFile: string;
  readonly caFile: string;
  /** Queries so far, oldest first. */
  readonly requests: URLSearchParams[];
  readonly apply: (pod: FakePod) => void;
  readonly remove: (uid: string) => void;
  readonly bookmark: () => void;
  /** Forgets what was before now: watches from then on are answered with 410. */
  readonly compact: () => void;
  /** Puts a new token into the file; the old one is no longer accepted. */
  readonly renewToken: () => Promise<void>;
  /** As `renewToken`, but the file keeps the old one. */
  readonly expireToken: () => string;
  readonly setFault: (fault: Fault | undefined) => void;
  /** Writes this into every open watch. */
  readonly write: (text: string | Buffer) => void;
  /** Cuts every open watch. */
  readonly cut: () => void;
  readonly openWatches: () => number;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

interface Event {
  readonly revision: number;
  readonly type: string;
  readonly nodeName: string;
  readonly object: object;
}

export const createFakeKubernetes = async ({ ca, key, cert }: Certificates): Promise<FakeKubernetes> => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-kubernetes-'));
  // As in a pod: the process that listens, which is not root, reads them.
  await chmod(folder, 0o755);
  const [tokenFile, caFile] = [join(folder, 'token'), join(folder, 'ca.crt')];
  const podByUid = new Map<string, { readonly pod: FakePod; readonly revision: number }>();
  const watches = new Map<ServerResponse, { readonly nodeName: string; readonly bookmarks: boolean }>();
  const requests: URLSearchParams[] = [];
  let history: Event[] = [];
  let revision = 1000;
  let compacted = 1000;
  let token = 'token-1';
  let fault: Fault | undefined;
  let port = 0;
  await writeFile(caFile, ca);
  await writeFile(tokenFile, `${token}\n`);

  const emit = (type: string, pod: FakePod): void => {
    revision += 1;
    const object = {
      kind: 'Pod',
      apiVersion: 'v1',
      ...pod,
      metadata: { ...pod.metadata, resourceVersion: String(revision) },
    };
    const event = { revision, type, nodeName: pod.spec.nodeName, object };
    history.push(event);
    for (const [response, { nodeName }] of watches) if (nodeName === event.nodeName) send(response, event);
  };
  const send = (response: ServerResponse, { type, object }: Pick<Event, 'type' | 'object'>): void => {
    response.write(`${JSON.stringify({ type, object })}\n`);
  };
  const status = (code: number, reason: string, message: string) => ({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message,
  });
  const refuse = (response: ServerResponse, ...failure: Parameters<typeof status>): void => {
    response
      .writeHead(failure[0], { 'content-type': 'application/json' })
      .end(JSON.stringify(status(...failure)));
  };

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'https://server');
    requests.push(query);
    const isWatch = query.get('watch') === '1';
    if (fault?.({ isWatch }, response) === true) return;
    if (request.headers.authorization !== `Bearer ${token}`) {
      refuse(response, 401, 'Unauthorized', 'Unauthorized');
      return;
    }
    const nodeName = /^spec\.nodeName=(.+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
    if (pathname !== '/api/v1/pods' || nodeName === undefined) {
      refuse(response, 403, 'Forbidden', 'pods is forbidden');
      return;
    }
    if (isWatch) watch(query, nodeName, response);
    else list(nodeName, response);
  };

  const list = (nodeName: string, response: ServerResponse): void => {
    const items = [...podByUid.values()]
      .filter(({ pod }) => pod.spec.nodeName === nodeName)
      .map(({ pod, revision }) => ({
        ...pod,
        metadata: { ...pod.metadata, resourceVersion: String(revision) },
      }));
    const body = {
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(revision) },
      items,
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

  const watch = (query: URLSearchParams, nodeName: string, response: ServerResponse): void => {
    const since = Number(query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    if (since < compacted) {
      // The real server says it within the stream.
      send(response, {
        type: 'ERROR',
        object: status(410, 'Expired', `too old resource version: ${since} (${compacted})`),
      });
      response.end();
      return;
    }
    for (const event of history)
      if (event.revision > since && event.nodeName === nodeName) send(response, event);
    watches.set(response, { nodeName, bookmarks: query.get('allowWatchBookmarks') === 'true' });
    const end = setTimeout(() => response.end(), Number(query.get('timeoutSeconds')) * 1000);
    response.on('close', () => {
      clearTimeout(end);
      watches.delete(response);
    });
  };

  let server: ReturnType<typeof createServer> | undefined;
  const start = async (): Promise<void> => {
    server = createServer({ key, cert }, answer).listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  };
  const stop = async (): Promise<void> => {
    const closed = server === undefined ? undefined : once(server, 'close');
    server?.close();
    server?.closeAllConnections();
    await closed;
    server = undefined;
  };
  const expireToken = (): string => {
    token = `token-${Number(token.slice(6)) + 1}`;
    return token;
  };
  await start();

  return {
    server: `https://127.0.0.1:${port}`,
    tokenFile,
    caFile,
    requests,
    apply: (pod) => {
      const type = podByUid.has(pod.metadata.uid) ? 'MODIFIED' : 'ADDED';
      emit(type, pod);
      podByUid.set(pod.metadata.uid, { pod, revision });
    },
    remove: (uid) => {
      const { pod } = podByUid.get(uid) ?? {};
      podByUid.delete(uid);
      if (pod !== undefined) emit('DELETED', pod);
    },
    bookmark: () => {
      const object = {
        kind: 'Pod',
        apiVersion: 'v1',
        metadata: { resourceVersion: String(revision), creationTimestamp: null },
        spec: { containers: null },
        status: {},
      };
      for (const [response, { bookmarks }] of watches)
        if (bookmarks) send(response, { type: 'BOOKMARK', object });
    },
    compact: () => {
      revision += 1;
      compacted = revision;
      history = [];
    },
    renewToken: () => writeFile(tokenFile, `${expireToken()}\n`),
    expireToken,
    setFault: (next) => {
      fault = next;
    },
    write: (text) => {
      for (const response of watches.keys()) response.write(text);
    },
    cut: () => {
      for (const response of watches.keys()) response.socket?.destroy();
    },
    openWatches: () => watches.size,
    start,
    stop,
    dispose: async () => {
      await stop();
      await rm(folder, { recursive: true });
    },
  };
};
