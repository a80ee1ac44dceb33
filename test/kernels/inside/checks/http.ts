// bpf/http.bt, or bpf/reduced/http.bt: an event loop and a forking server, against what their clients know.
import { execa } from 'execa';
import { setTimeout as sleep } from 'node:timers/promises';
import { get, openConnection } from '../../../support/client.ts';
import { freePort } from '../../../support/nginx.ts';
import { counter, quantile, requestsByCode, sumSeconds } from '../../../support/series.ts';
import type { Check, Rig } from '../check.ts';

const eventLoopServer = new URL('../../../support/servers/event-loop.js', import.meta.url).pathname;
const folder = new URL('../../../..', import.meta.url).pathname;
const rounds = 20;
const statuses = [200, 204, 304, 404, 503];
const waits = 5;
const forkedRequests = 5;

export const check: Check = async (rig) => {
  await eventLoop(rig);
  await forkingServer(rig);
};

/** Kept connections, every status class, and handlers that wait. */
const eventLoop = async ({ agent, mode, start, expect, expectCount }: Rig): Promise<void> => {
  const server = await start([process.execPath, eventLoopServer], 'loop');
  const connection = await openConnection(Number(await server.firstLine()));
  let answered = 0;
  let clientSeconds = 0;
  let longestClientSeconds = 0;
  const ask = async (path: string) => {
    const startMs = performance.now();
    connection.send(get(path));
    await connection.responses(++answered);
    const seconds = (performance.now() - startMs) / 1000;
    clientSeconds += seconds;
    longestClientSeconds = Math.max(longestClientSeconds, seconds);
  };
  for (let round = 0; round < rounds * statuses.length; round++)
    await ask(`/status/${statuses[round % statuses.length] ?? 200}`);
  await agent.settle();
  const quick = await agent.series();
  const byCode = requestsByCode(quick, 'loop');
  for (const [code, times] of [
    ['2xx', 2],
    ['3xx', 1],
    ['4xx', 1],
    ['5xx', 1],
  ] as const)
    await expectCount(`requests with an answer of ${code} count`, times * rounds, byCode[code] ?? 0);
  const seconds = sumSeconds(quick, 'loop');
  const total = `${seconds} s, and ${clientSeconds} s by the client`;
  expect(
    'requests take time, and less than their client waits',
    seconds > 0 && seconds < clientSeconds,
    total,
  );

  for (let wait = 0; wait < waits; wait++) await ask('/wait/50');
  connection.socket.destroy();
  await agent.settle();
  const slow = await agent.series();
  const longest = quantile(slow, 'loop', 1);
  const isPlausible = longest > 0.048 && longest <= 1.1 * longestClientSeconds; // A bucket is 9 % wide.
  const both = `${longest} s, and ${longestClientSeconds} s by the client`;
  expect('a handler that waits 50 ms is that slow', isPlausible, both);
  const net = quantile(slow, 'loop', 1, true);
  if (mode === 'full')
    expect('its net duration is no longer', net > 0.02 && net <= longest, `${net} s of ${longest} s`);
  else expect('nothing is said of net durations', Number.isNaN(net), net);
  for (const name of ['unanswered', 'unmatched_responses'])
    expect(`no request is ${name}`, counter(slow, `plumbline_http_${name}_total`, 'loop') === 0);
  await server.stop();
};

/** A process for each connection, which reads and writes with plain calls, blocks in them, and ends. */
const forkingServer = async ({ agent, mode, start, expectCount }: Rig): Promise<void> => {
  const address = `127.0.0.1:${await freePort()}`;
  const server = await start(['busybox', 'httpd', '-f', '-p', address, '-h', folder], 'forks');
  const url = `http://${address}/package.json`;
  const ask = () => execa('busybox', ['wget', '-q', '-O', '-', url], { reject: false, timeout: 5000 });
  for (let failures = 0, answered = 0; answered < forkedRequests;) {
    const { failed, shortMessage } = await ask();
    if (!failed) answered++;
    else if (++failures > 50) throw new Error(shortMessage);
    else await sleep(100); // It says nothing when it begins to listen.
  }
  await agent.settle();
  const series = await agent.series();
  // It answers through another descriptor than it reads from: that needs the socket behind the two.
  if (mode === 'full') {
    const counted = requestsByCode(series, 'forks')['2xx'] ?? 0;
    await expectCount('requests to a server that forks count', forkedRequests, counted);
  } else {
    const counted = counter(series, 'plumbline_http_unmatched_responses_total', 'forks');
    await expectCount('answers through another descriptor are unmatched', forkedRequests, counted);
  }
  await server.stop();
};
