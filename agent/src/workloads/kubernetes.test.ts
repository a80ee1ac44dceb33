import { writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCertificates } from '../../../test/support/certificates.ts';
import type { Certificates } from '../../../test/support/certificates.ts';
import { createFakeKubernetes } from '../../../test/support/kubernetes.ts';
import type { FakeKubernetes, FakePod } from '../../../test/support/kubernetes.ts';
import { createKubernetesSource } from './kubernetes.ts';
import { workloadsSchema } from './schema.ts';

const nodeName = 'n1';
const uidOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const pathOf = (number: number) => `/kubepods/pod${uidOf(number)}/${String(number).padStart(64, '0')}`;
const podOf = (number: number, { version = 'v1', node = nodeName, phase = 'Running' } = {}): FakePod => ({
  metadata: {
    uid: uidOf(number),
    name: `pod-${number}`,
    namespace: 'shop',
    ...{ labels: { app: 'web', version } },
  },
  spec: { nodeName: node, ...{ containers: [{ name: 'web' }] } },
  status: { phase },
});

describe('Kubernetes as a source', () => {
  let certificates: Certificates;
  let api: FakeKubernetes;
  const cleanUps: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    certificates = await createCertificates();
  });
  beforeEach(async () => {
    api = await createFakeKubernetes(certificates);
  });
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
    await api.dispose();
  });

  /** A source that runs, on a clock that the test may put forward. */
  const start = ({ timeoutMs = 2000, caFile = api.caFile } = {}) => {
    const lines: string[] = [];
    let skippedMs = 0;
    const { server, tokenFile } = api;
    const source = createKubernetesSource({
      config: workloadsSchema.parse({ kubernetes: { enabled: true, server, tokenFile, caFile } }).kubernetes,
      nodeName,
      log: pino({ base: null }, { write: (line: string) => void lines.push(line) }),
      now: () => performance.now() + skippedMs,
      timeoutMs,
      firstPauseMs: 20,
    });
    if (source?.run === undefined) throw new Error('no source');
    const stop = new AbortController();
    const ended = source.run(stop.signal);
    cleanUps.push(async () => {
      stop.abort();
      await ended;
    });
    return {
      source,
      lines,
      skip: (ms: number) => {
        skippedMs += ms;
      },
      versionOf: (number: number) => source.workloadAt(pathOf(number))?.version,
      messages: () => lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg),
    };
  };
  const until = (condition: () => boolean) =>
    vi.waitFor(
      () => {
        expect(condition()).toBe(true);
      },
      { timeout: 15_000, interval: 5 },
    );
  const watching = () => until(() => api.openWatches() > 0);

  it('lists the pods of its node, then hears what becomes of them', async () => {
    api.apply(podOf(1));
    api.apply(podOf(2, { node: 'n2' }));
    const { source, versionOf } = start();
    expect(await source.refresh([])).toBe(true);
    expect(source.workloadAt(pathOf(1))).toEqual({ namespace: 'shop', app: 'web', version: 'v1' });
    expect(versionOf(2)).toBeUndefined();
    await watching();
    api.apply(podOf(3, { version: 'v2' }));
    await until(() => versionOf(3) === 'v2');
    expect(await source.refresh([])).toBe(true);
    expect(await source.refresh([])).toBe(false);
    api.apply(podOf(1, { version: 'v1.1' }));
    await until(() => versionOf(1) === 'v1.1');
    expect(source.state()).toMatchObject({ name: 'kubernetes', up: true, errors: 0 });
    expect(
      api.requests.map((query) => [
        query.get('watch'),
        query.get('fieldSelector'),
        query.get('resourceVersion'),
      ]),
    ).toEqual([
      [null, 'spec.nodeName=n1', '0'],
      ['1', 'spec.nodeName=n1', '1002'],
    ]);
  });

  it('keeps a pod that is deleted or over for five minutes', async () => {
    api.apply(podOf(1));
    api.apply(podOf(2));
    const { source, versionOf, skip } = start();
    await watching();
    api.remove(uidOf(1));
    api.apply(podOf(2, { phase: 'Succeeded' }));
    api.apply(podOf(3));
    await until(() => versionOf(3) === 'v1');
    skip(299_000);
    await source.refresh([]);
    expect([1, 2, 3].map(versionOf)).toEqual(['v1', 'v1', 'v1']);
    skip(2000);
    expect(await source.refresh([])).toBe(true);
    expect([1, 2, 3].map(versionOf)).toEqual([undefined, undefined, 'v1']);
  });

  it('goes on where a cut watch ended, bookmarks included, without a list', async () => {
    api.apply(podOf(1));
    const { source, versionOf } = start();
    await watching();
    api.apply(podOf(2));
    await until(() => versionOf(2) === 'v1');
    api.apply(podOf(9, { node: 'n2' }));
    api.bookmark();
    await sleep(50);
    api.cut();
    api.apply(podOf(3));
    await until(() => versionOf(3) === 'v1');
    expect(api.requests.map((query) => query.get('resourceVersion'))).toEqual(['0', '1001', '1003']);
    expect(source.state()).toMatchObject({ up: true, errors: 1 });
  });

  it('lists anew after 410, and learns who came and who went meanwhile', async () => {
    api.apply(podOf(1));
    api.apply(podOf(2));
    const { source, versionOf, skip, messages } = start();
    await watching();
    await api.stop();
    api.remove(uidOf(1));
    api.apply(podOf(3));
    api.compact();
    await api.start();
    await until(() => versionOf(3) === 'v1');
    expect(versionOf(1)).toBe('v1');
    skip(301_000);
    await source.refresh([]);
    expect([1, 2, 3].map(versionOf)).toEqual([undefined, 'v1', 'v1']);
    // The list after a 410 comes from etcd: what the API server has in memory may be as old as before.
    expect(
      api.requests.filter((query) => !query.has('watch')).map((query) => query.get('resourceVersion')),
    ).toEqual(['0', null]);
    expect(messages()).toEqual([
      'Kubernetes answers',
      'Kubernetes gives no usable answer, what is known stays in force',
      'Kubernetes answers',
    ]);
  });

  it('keeps its table while the API is away, and says so once', async () => {
    api.apply(podOf(1));
    const { source, versionOf, lines } = start();
    await watching();
    await api.stop();
    await until(() => (source.state()?.errors ?? 0) >= 1);
    const before = source.state()?.lastSuccessMs;
    await until(() => (source.state()?.errors ?? 0) >= 4);
    expect(versionOf(1)).toBe('v1');
    expect(source.state()).toMatchObject({ up: false, lastSuccessMs: before });
    expect(lines).toHaveLength(2);
    await api.start();
    await until(() => source.state()?.up === true);
    expect(lines).toHaveLength(3);
  });

  it('does not hold up the first look-up for an API that is away', async () => {
    await api.stop();
    const { source } = start();
    expect(await source.refresh([])).toBe(false);
    expect(source.state()).toMatchObject({ up: false, errors: 1 });
  });

  it('reads the token again after it was renewed or has expired', async () => {
    api.apply(podOf(1));
    const { source, versionOf, lines } = start();
    await watching();
    await api.renewToken();
    api.cut();
    api.apply(podOf(2));
    await until(() => versionOf(2) === 'v1');

    const token = api.expireToken();
    api.cut();
    api.apply(podOf(3));
    await until(() => source.state()?.up === false);
    await until(
      () => lines.some((line) => line.includes('Unauthorized')) || (source.state()?.errors ?? 0) > 3,
    );
    expect(versionOf(1)).toBe('v1');
    await writeFile(api.tokenFile, token);
    await until(() => versionOf(3) === 'v1');
    expect(lines.join('\n')).not.toContain('Bearer');
    expect(lines.join('\n')).not.toContain(token);
  });

  it('says what is missing where it may not list pods', async () => {
    api.setFault((_, response) => {
      response
        .writeHead(403)
        .end(
          JSON.stringify({ kind: 'Status', code: 403, message: 'pods is forbidden: User "x" cannot list' }),
        );
      return true;
    });
    const { lines } = start();
    await until(() => lines.length > 0);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      err: { message: 'pods is forbidden: User "x" cannot list' },
      remedy: expect.stringContaining('get, list and watch on pods') as string,
    });
  });

  it('does not talk to a server whose certificate another authority signed', async () => {
    const other = await createFakeKubernetes(await createCertificates());
    cleanUps.push(other.dispose);
    api.apply(podOf(1));
    const { source, lines, versionOf } = start({ caFile: other.caFile });
    await until(() => (source.state()?.errors ?? 0) > 1);
    expect(lines.join()).toContain('certificate');
    expect(versionOf(1)).toBeUndefined();
    expect(api.requests).toEqual([]);
  });

  const answer = (text: string) => (response: ServerResponse) => void response.writeHead(200).end(text);
  it.each<[string, (response: ServerResponse) => void, string]>([
    ['half of a JSON text', answer('{"items": ['), 'JSON'],
    ['nothing', answer(''), 'JSON'],
    ['another shape', answer('{"items": 7}'), 'items'],
    [
      'an error',
      (response) => void response.writeHead(500).end('etcdserver: request timed out'),
      'etcdserver',
    ],
    ['nothing ever', () => undefined, 'aborted due to timeout'],
    ['a cut connection', (response) => void response.socket?.destroy(), 'socket'],
    ['too much', answer(' '.repeat(33 * 1024 * 1024)), 'at most 33554432 bytes'],
  ])('survives a list of %s, and tries again', async (_, fault, reason) => {
    api.apply(podOf(1));
    let faults = 0;
    api.setFault(({ isWatch }, response) => {
      if (isWatch || faults === 2) return false;
      faults += 1;
      fault(response);
      return true;
    });
    const { source, versionOf, lines } = start({ timeoutMs: reason.includes('timeout') ? 100 : 5000 });
    await until(() => versionOf(1) === 'v1');
    // On a busy machine an answer that was to come may be late as well.
    expect(source.state()?.up).toBe(true);
    expect(source.state()?.errors).toBeGreaterThanOrEqual(2);
    expect(lines[0]).toContain(reason);
  });

  it.each([
    ['a line that is no JSON', '{"type": "ADD\n'],
    ['an event of the wrong shape', '{"kind": "Pod"}\n'],
    ['an error of no known shape', '{"type": "ERROR", "object": 7}\n'],
    [
      'an error of the server',
      '{"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "no"}}\n',
    ],
    ['an event without end', 'x'.repeat(5 * 1024 * 1024)],
  ])('survives a watch with %s, and goes on where it was', async (_, text) => {
    api.apply(podOf(1));
    const { source, versionOf } = start();
    await watching();
    api.write(text);
    await until(() => source.state()?.errors === 1);
    api.apply(podOf(2));
    await until(() => versionOf(2) === 'v1');
    expect(api.requests.filter((query) => !query.has('watch'))).toHaveLength(1);
  });

  it('passes over pods of the wrong shape, and counts them', async () => {
    api.apply({ ...podOf(1), spec: { nodeName } });
    const { source, versionOf } = start();
    await watching();
    api.apply(podOf(2));
    await until(() => versionOf(2) === 'v1');
    expect(source.state()).toMatchObject({ up: true, errors: 1 });
  });

  it('reads a watch that comes byte by byte', async () => {
    const { versionOf } = start();
    await watching();
    const event = `${JSON.stringify({ type: 'ADDED', object: podOf(7, { version: 'ü2' }) })}\n`;
    for (const byte of Buffer.from(event)) {
      api.write(Buffer.from([byte]));
      await sleep(0);
    }
    await until(() => versionOf(7) === 'ü2');
  });

  it('waits between watches that end at once', async () => {
    api.setFault(({ isWatch }, response) => {
      if (isWatch) response.writeHead(200).end();
      return isWatch;
    });
    const { source } = start();
    await sleep(500);
    expect(api.requests.length).toBeGreaterThan(2);
    expect(api.requests.length).toBeLessThan(10);
    expect(source.state()?.errors).toBeGreaterThan(1);
  });

  it('stops at once, wherever it is', async () => {
    start();
    await watching();
    await cleanUps.pop()?.();
    await until(() => api.openWatches() === 0);
  });

  it('is no source at all where the agent is in no cluster', () => {
    const { kubernetes: config } = workloadsSchema.parse({});
    expect(
      createKubernetesSource({ config, nodeName, log: pino({ level: 'silent' }), now: () => 0 }),
    ).toBeUndefined();
  });
});
