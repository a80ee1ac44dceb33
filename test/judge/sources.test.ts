// Where `plumbline judge` reads from: a Prometheus behind TLS, tokens and tenants, and one with native histograms.
import { describe, expect, test } from 'vitest';
import { execa } from 'execa';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Family } from '../../agent/src/exposition/families.ts';
import { createProtobufExposition } from '../../agent/src/exposition/protobuf.ts';
import type { VerdictAnswer } from '../../agent/src/history/answer.ts';
import { metricNames } from '../../agent/src/series/names.ts';
import { bucketCount, bucketOfNative } from '../../agent/src/series/native.ts';
import { plumbline } from '../support/agent.ts';
import { createCertificates } from '../support/certificates.ts';
import { freePort } from '../support/nginx.ts';
import { until } from '../support/prometheus.ts';
import { storeStories } from '../support/tsdb.ts';

const judge = async (yaml: string, files: Readonly<Record<string, string>> = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-judge-'));
  try {
    for (const [name, content] of Object.entries({ ...files, 'judge.yaml': yaml }))
      await writeFile(join(folder, name), content);
    const args = ['judge', '--config', 'judge.yaml', '--app', 'checkout', '--json'];
    const { stdout, stderr } = await execa(process.execPath, [plumbline, ...args], {
      cwd: folder,
      reject: false,
    });
    return { stdout, stderr, answer: JSON.parse(stdout) as VerdictAnswer };
  } finally {
    await rm(folder, { recursive: true });
  }
};

test('over TLS of its own authority, with bearer token and tenant; and says no secret without them', async () => {
  const { ca, cert, key } = await createCertificates();
  const seconds = () => 0.1;
  const stored = await storeStories(
    [
      { node: 'n1', version: 'v1', seconds },
      { node: 'n1', version: 'v2', seconds, from: 300 },
    ],
    20,
  );
  // As a gateway before Mimir does: no token, no tenant, no answer.
  const gateway = createTlsServer({ cert, key }, (request, response) => {
    const { authorization, 'x-scope-orgid': tenant } = request.headers;
    if (authorization !== 'Bearer s3cret-token' || tenant !== 'shop') {
      response.writeHead(401).end('who are you\n');
      return;
    }
    void text(request)
      .then((body) =>
        fetch(stored.url + (request.url ?? '').replace('/prometheus', ''), {
          method: 'POST',
          headers: { 'content-type': request.headers['content-type'] ?? '' },
          body,
        }),
      )
      .then(async (answer) => response.writeHead(answer.status).end(await answer.text()));
  }).listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  const url = `https://127.0.0.1:${(gateway.address() as AddressInfo).port}/prometheus`;
  const files = { 'ca.crt': ca, token: 's3cret-token\n' };
  try {
    const { answer } = await judge(
      `prometheus: { url: "${url}", headers: { X-Scope-OrgID: shop }, bearerTokenFile: token, tls: { caFile: ca.crt } }`,
      files,
    );
    expect(answer).toMatchObject({ canary: 'v2', baseline: 'v1' });
    expect(answer.samples.canary).toBeGreaterThan(20_000);

    const otherTenant = await judge(
      `prometheus: { url: "${url}", headers: { X-Scope-OrgID: other }, bearerTokenFile: token, tls: { caFile: ca.crt } }`,
      files,
    );
    expect(otherTenant.answer.message).toMatch(/answers with status 401$/);
    expect(otherTenant.stdout + otherTenant.stderr).not.toContain('s3cret');

    const unknownAuthority = await judge(`prometheus: { url: "${url}", bearerTokenFile: token }`, files);
    expect(unknownAuthority.answer.message).toMatch(/does not answer: .*certificate/);
  } finally {
    gateway.closeAllConnections();
    gateway.close();
    await stored.stop();
  }
}, 60_000);

describe('native histograms', () => {
  /** Requests so far of each version, all in one bucket; the canary began later. */
  const versions = new Map([
    ['v1', { perSecond: 400, sinceMs: Date.now() }],
    ['v2', { perSecond: 100, sinceMs: Infinity }],
  ]);
  const family = (name: string): Family => ({
    name,
    help: 'As the agent has it.',
    type: 'histogram',
    samples: () =>
      [...versions].flatMap(([version, { perSecond, sinceMs }]) => {
        const requests = Math.floor((perSecond * (Date.now() - sinceMs)) / 1000);
        if (!(requests > 0)) return [];
        const counts = new Float64Array(bucketCount);
        counts[bucketOfNative(-20)] = requests;
        const labels = { namespace: 'shop', app: 'checkout', version, protocol: 'http1', code: '2xx' };
        return [{ labels, counts, sumSeconds: 0.17 * requests, createdMs: sinceMs }];
      }),
  });

  test('scraped by protobuf are judged, request by request', async () => {
    const exposition = createProtobufExposition(
      [family(metricNames.duration), family(metricNames.netDuration)],
      'n1',
    );
    const agent = createHttpServer((_, response) => {
      response.setHeader('content-type', exposition.contentType);
      Readable.from(exposition.scrape()).pipe(response);
    }).listen(0, '127.0.0.1');
    await once(agent, 'listening');
    const folder = await mkdtemp(join(tmpdir(), 'plumbline-native-'));
    const [port, target] = [await freePort(), `127.0.0.1:${(agent.address() as AddressInfo).port}`];
    await writeFile(
      join(folder, 'prometheus.yml'),
      `global: { scrape_interval: 1s }
scrape_configs: [{ job_name: plumbline, honor_labels: true, static_configs: [{ targets: ["${target}"] }] }]`,
    );
    const prometheus = execa(
      'prometheus',
      [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=native-histograms',
      ],
      { reject: false },
    );
    const yaml = `{ prometheus: { url: "http://127.0.0.1:${port}" }, window: 5s, lookback: 2m }`;
    try {
      await sleep(6000);
      versions.set('v2', { perSecond: 100, sinceMs: Date.now() });
      await until(async () => (await judge(yaml)).answer.samples.canary >= 900);
      const { answer } = await judge(yaml);
      expect(answer).toMatchObject({ canary: 'v2', baseline: 'v1', namespace: 'shop' });
      // Scrapes are a second apart, so that a window may have a second's requests more or less.
      expect(answer.samples.baseline / answer.samples.canary).toBeGreaterThan(3.5);
    } finally {
      prometheus.kill();
      await prometheus;
      agent.closeAllConnections();
      agent.close();
      await rm(folder, { recursive: true });
    }
  }, 60_000);
});
