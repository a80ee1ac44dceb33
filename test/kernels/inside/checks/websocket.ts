// bpf/websocket.bt: a server that echoes, against what its clients know.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { counter } from '../../../support/series.ts';
import { serverScript } from '../../../support/servers.ts';
import type { Check } from '../check.ts';

const connections = 3;
/** Payloads around each way in which a frame says its length. */
const sizes = [0, 125, 126, 5000, 65_535, 65_536];

export const check: Check = async ({ agent, start, expect, expectCount }) => {
  const server = await start([process.execPath, serverScript('websocket.js')], 'sockets');
  const address = `ws://127.0.0.1:${await server.firstLine()}`;
  const clients: WebSocket[] = [];
  while (clients.length < connections) {
    const client = new WebSocket(address);
    clients.push(client);
    await once(client, 'open');
    for (const size of sizes) {
      client.send(Buffer.alloc(size, 'x'));
      await once(client, 'message');
    }
  }
  const [kept, ...closed] = clients;
  for (const client of closed) {
    client.close();
    await once(client, 'close');
  }
  const series = await agent.settledSeries();
  const count = (name: string) => counter(series, `plumbline_websocket_${name}`, 'sockets');
  await expectCount('WebSocket connections count', connections, count('connections_opened_total'));
  const messages = 2 * connections * sizes.length;
  await expectCount('messages count, and their echoes', messages, count('messages_total'));
  const bytes = 2 * connections * sizes.reduce((total, size) => total + size, 0);
  const counted = count('payload_bytes_total');
  // Bytes of a message of which a run was skipped are skipped with it.
  const isAll = counted === bytes || (counted < bytes && count('messages_total') < messages);
  expect('so do their bytes', isAll, `${counted} of ${bytes}`);
  expect('one connection is open', count('connections_active') === 1, count('connections_active'));
  expect('no frame is lost', count('lost_total') === 0, count('lost_total'));
  kept?.terminate();
  await server.stop();
};
