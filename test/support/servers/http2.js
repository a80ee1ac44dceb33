// An HTTP/2 server on node:http2, with TLS if its options are in the argument. Prints its port. The path says what it shall
// do.
import { createSecureServer, createServer } from 'node:http2';

const [, , tls] = process.argv;
const options = { maxSessionRejectedStreams: 1000 };
const server =
  tls === undefined ? createServer(options) : createSecureServer({ ...options, ...JSON.parse(tls) });
server.on('stream', (stream, headers) => {
  const [, what = '', argument = ''] = headers[':path'].split('/');
  stream.on('error', () => undefined);
  switch (what) {
    case 'status':
      stream.respond({ ':status': Number(argument) }, { endStream: true });
      return;
    case 'wait': // the handler waits, the loop goes on
      setTimeout(() => {
        stream.respond();
        stream.end('late');
      }, Number(argument));
      return;
    case 'slow-body': // the head at once, the end later
      stream.respond();
      stream.write('head');
      setTimeout(() => stream.end(), Number(argument));
      return;
    case 'hint':
      stream.additionalHeaders({ ':status': 103, link: '</style.css>' });
      setTimeout(() => {
        stream.respond();
        stream.end();
      }, Number(argument));
      return;
    case 'reset':
      stream.close(2);
      return;
    case 'never':
      return;
    case 'large': // more header than a frame holds: CONTINUATION
      stream.respond({ 'x-large': 'x'.repeat(Number(argument)) });
      stream.end('large');
      return;
    case 'padded':
      stream.respond({}, {});
      stream.end('x'.repeat(Number(argument)));
      return;
    case 'upload':
      stream.resume().on('end', () => {
        stream.respond();
        stream.end('taken');
      });
      return;
    default:
      stream.respond();
      stream.end('hello');
  }
});
server.on('sessionError', () => undefined);
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
