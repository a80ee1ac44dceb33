// An event loop server on node:http, or node:https with the options in its argument. Prints its port. The path says what it
// shall do.
import { createServer as createClearServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

const [, , tls] = process.argv;
const createServer = (handler) =>
  tls === undefined ? createClearServer(handler) : createTlsServer(JSON.parse(tls), handler);

const standStill = (ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

const server = createServer((request, response) => {
  const [, what = '', argument = ''] = (request.url ?? '').split('/');
  switch (what) {
    case 'status':
      response.writeHead(Number(argument)).end();
      return;
    case 'wait': // the handler waits, the loop goes on
      setTimeout(() => response.end('late'), Number(argument));
      return;
    case 'work': // the loop stands still before the answer
      standStill(Number(argument));
      response.end('done');
      return;
    case 'block': // the loop stands still after the answer
      response.end('blocking', () => {
        standStill(Number(argument));
      });
      return;
    case 'drop':
      request.socket.destroy();
      return;
    case 'upload':
      request.resume().on('end', () => response.end('taken'));
      return;
    default:
      response.end('hello');
  }
});
server.on('upgrade', (_request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  socket.on('data', (chunk) => {
    if (chunk.includes('GET')) socket.write('HTTP/1.1 200 OK\r\n\r\n');
  });
  socket.on('error', () => undefined);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
