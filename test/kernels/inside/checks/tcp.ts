// bpf/tcp.bt: connections between a server and a client in cgroups of their own, against what the two did.
import type { JsonSeries } from '../../../../agent/src/series/json.ts';
import { counter } from '../../../support/series.ts';
import type { Check } from '../check.ts';

const connections = 20;
const asked = 5;
const answered = 1000;

const serve = `require('node:net')
  .createServer((one) => one.on('data', () => one.write('x'.repeat(${answered}))).on('error', () => {}))
  .listen(0, '127.0.0.1', function () { console.log(this.address().port); })`;

/** Asks once over each connection, one after the other; keeps the last one open. */
const ask = (port: number) => `let left = ${connections};
(function next() {
  const one = require('node:net').connect(${port}, '127.0.0.1', () => one.write('x'.repeat(${asked})));
  let received = 0;
  one.on('data', (chunk) => {
    received += chunk.length;
    if (received < ${answered}) return;
    if (--left === 0) console.log('done');
    else one.end(next);
  });
})()`;

export const check: Check = async ({ agent, start, expect, expectCount }) => {
  const server = await start([process.execPath, '-e', serve], 'listener');
  const client = await start([process.execPath, '-e', ask(Number(await server.firstLine()))], 'caller');
  await client.firstLine();
  await agent.settle();
  const series = await agent.series();
  for (const [app, sent, received] of [
    ['caller', asked, answered],
    ['listener', answered, asked],
  ] as const) {
    const count = (name: string) => counter(series, `plumbline_tcp_${name}`, app);
    await expectCount(`${app}: every connection counts`, connections, count('connections_opened_total'));
    const counted = count('connections_closed_total');
    await expectCount(`${app}: closed ones count`, connections - 1, counted);
    const bytes = { sent: count('sent_bytes_total'), received: count('received_bytes_total') };
    const isAll = bytes.sent === counted * sent && bytes.received === counted * received;
    expect(`${app}: the bytes of what is closed are those of both ends`, isAll, bytes);
    const active = count('connections_active');
    expect(`${app}: what is opened and not closed is open`, active >= 1, active);
    const roundTrip = meanSeconds(series, 'plumbline_tcp_srtt_seconds', app);
    expect(`${app}: round trips take time, and not long`, roundTrip > 0 && roundTrip < 1, roundTrip);
  }
  const queued = meanSeconds(series, 'plumbline_tcp_accept_queue_seconds', 'listener');
  expect('listener: connections wait to be accepted, and not long', queued > 0 && queued < 1, queued);
  await client.stop();
  await server.stop();
};

const meanSeconds = (series: JsonSeries, metric: string, app: string): number => {
  const own = (series.histograms[metric] ?? []).filter(({ labels }) => labels.app === app);
  const sum = own.reduce((total, { sumSeconds }) => total + sumSeconds, 0);
  return sum / own.flatMap(({ counts }) => counts).reduce((total, count) => total + count, 0);
};
