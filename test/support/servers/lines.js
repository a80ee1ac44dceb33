// A server of a protocol of its own: a line for each line. Prints its port. "wait MS" is answered late, "push" twice, with
// a pause between the two, "quit" not at all.
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const server = createServer((socket) => {
  socket.on('error', () => undefined);
  createInterface(socket).on('line', (line) => {
    const [what, argument] = line.split(' ');
    if (what === 'quit') socket.end();
    else if (what === 'wait') setTimeout(() => socket.write('late\r\n'), Number(argument));
    else socket.write('+OK\r\n');
    if (what === 'push') setTimeout(() => socket.write('news\r\n'), 50);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
