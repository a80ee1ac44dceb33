// The demo's service: HTTP on a free port, some CPU work for each request. Prints its port.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    version: { type: 'string', default: 'v1' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    /** Rounds of CPU work, and what a further call to a dependency takes. */
    work: { type: 'string', default: '10' },
    'wait-ms': { type: 'string', default: '0' },
  },
});
const [work, waitMs] = [Number(values.work), Number(values['wait-ms'])];
let served = 0;

const server = createServer((request, response) => {
  if (waitMs > 0) setTimeout(answer, waitMs, request, response);
  else answer(request, response);
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  let digest = values.version;
  for (let round = 0; round < work; round++) digest = createHash('sha256').update(digest).digest('hex');
  // One answer in two thousand fails, the same in every version.
  const isFailure = ++served % 2000 === 0;
  response.writeHead(isFailure ? 500 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ version: values.version, path: request.url, digest }));
}

server.keepAliveTimeout = 60_000;
server.listen(Number(values.port), values.host, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
