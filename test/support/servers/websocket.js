// A WebSocket server that sends back whatever it gets. Prints its port. Text "count" is answered with what it has received
// and sent so far, its own answer not included: messages and bytes.
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () =>
  process.stdout.write(`${server.address().port}\n`),
);
let received = [0, 0];
let sent = [0, 0];

server.on('connection', (socket) => {
  socket.on('error', () => undefined);
  socket.on('message', (data, isBinary) => {
    received = [received[0] + 1, received[1] + data.length];
    const answer = !isBinary && data.toString() === 'count' ? JSON.stringify({ received, sent }) : data;
    socket.send(answer, { binary: isBinary });
    sent = [sent[0] + 1, sent[1] + answer.length];
  });
});
