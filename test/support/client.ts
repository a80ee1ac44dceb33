// In: bytes for a server, piece by piece. Out: what it answered, over one connection that we hold.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Socket } from 'node:net';

export interface Connection {
  readonly socket: Socket;
  readonly send: (bytes: string) => void;
  /** Resolves when that many response heads (interim ones too) have come since the connection was opened. */
  readonly responses: (count: number) => Promise<string>;
}

export const openConnection = async (port: number): Promise<Connection> => {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => {
    // A server that goes away is what some tests are about.
  });
  return {
    socket,
    send: (bytes) => socket.write(bytes),
    responses: async (count) => {
      const deadlineMs = performance.now() + 5000;
      while ((received.match(/HTTP\/1\.[01] \d/g)?.length ?? 0) < count) {
        if (socket.closed || performance.now() > deadlineMs)
          throw new Error(`Expected ${count}, got: ${received}`);
        await sleep(1);
      }
      return received;
    },
  };
};

export const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;
