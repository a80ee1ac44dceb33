// bpf/http2.bt: a server on node:http2, against what its client knows.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { requestsByProtocol } from '../../../support/series.ts';
import type { Check } from '../check.ts';

const server = new URL('../../../support/servers/http2.js', import.meta.url).pathname;
const rounds = 10;
const statuses = [200, 204, 304, 404, 500];
const atOnce = 4;

export const check: Check = async ({ agent, start, expect, expectCount }) => {
  const child = await start([process.execPath, server], 'streams');
  const session = connect(`http://127.0.0.1:${await child.firstLine()}`);
  const ask = async (path: string) => {
    const stream = session.request({ ':path': path }).resume();
    await once(stream, 'close');
  };
  for (let round = 0; round < rounds; round++) for (const status of statuses) await ask(`/status/${status}`);
  await Promise.all(Array.from({ length: atOnce }, () => ask('/wait/50')));
  session.destroy();
  await agent.settle();
  const series = await agent.series();
  const byCode = requestsByProtocol(series, 'streams');
  for (const [code, times] of Object.entries({
    '2xx': 2 * rounds + atOnce,
    '3xx': rounds,
    '4xx': rounds,
    '5xx': rounds,
  }))
    await expectCount(`HTTP/2 requests with an answer of ${code} count`, times, byCode[`http2 ${code}`] ?? 0);
  const lost = (series.counters.plumbline_http2_lost_total ?? []).filter(
    ({ labels }) => labels.app === 'streams',
  );
  expect(
    'no frame is lost',
    lost.every(({ value }) => value === 0),
    lost,
  );
  await child.stop();
};
