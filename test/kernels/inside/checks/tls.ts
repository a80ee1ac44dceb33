// bpf/tls.bt: servers on node:https and node:http2, against what their client knows. Node carries OpenSSL.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { Agent, get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createCertificates } from '../../../support/certificates.ts';
import { counter, requestsByProtocol } from '../../../support/series.ts';
import type { Check } from '../check.ts';

const script = (name: string) => new URL(`../../../support/servers/${name}`, import.meta.url).pathname;
const rounds = 10;
const statuses = [200, 404, 500];

export const check: Check = async ({ agent, mode, start, expect, expectCount }) => {
  const { ca, key, cert } = await createCertificates();
  const startServer = async (file: string, app: string) => {
    const child = await start([process.execPath, script(file), JSON.stringify({ key, cert })], app);
    return { url: `https://127.0.0.1:${await child.firstLine()}`, stop: () => child.stop() };
  };
  const http1 = await startServer('event-loop.js', 'https');
  const http2 = await startServer('http2.js', 'https2');
  const connections = new Agent({ keepAlive: true, maxSockets: 1, ca });
  const session = connect(http2.url, { ca });
  for (let round = 0; round < rounds; round++) {
    for (const status of statuses) {
      const asking = get(`${http1.url}/status/${status}`, { agent: connections });
      const [answer] = (await once(asking, 'response')) as [IncomingMessage];
      await once(answer.resume(), 'end');
      await once(session.request({ ':path': `/status/${status}` }).resume(), 'close');
    }
  }
  connections.destroy();
  session.destroy();
  await agent.settle();
  const series = await agent.series();
  for (const [app, protocol] of [
    ['https', 'http1'],
    ['https2', 'http2'],
  ] as const) {
    const isSeen = protocol === 'http1' || mode === 'full';
    const byCode = requestsByProtocol(series, app);
    for (const status of statuses) {
      const code = `${protocol} ${Math.floor(status / 100)}xx`;
      await expectCount(
        `requests inside TLS with an answer of ${code} count`,
        isSeen ? rounds : 0,
        byCode[code] ?? 0,
      );
    }
  }
  const undecoded = counter(series, 'plumbline_tls_undecoded_connections_total', 'https2');
  expect(
    'HTTP/2 inside TLS is decoded, or its connection counted',
    undecoded === (mode === 'full' ? 0 : 1),
    undecoded,
  );
  await http1.stop();
  await http2.stop();
};
