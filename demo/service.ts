// The demo's service: HTTP on a free port, some CPU work for each request. Prints its port.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { version: { type: 'string', default: 'v1' }, work: { type: 'string', default: '100' } },
});
const work = Number(values.work);
let served = 0;

const server = createServer((request, response) => {
  let digest = values.version;
  for (let round = 0; round < work; round++) digest = createHash('sha256').update(digest).digest('hex');
  // One answer in two hundred fails, the same in every version.
  const isFailure = ++served % 200 === 0;
  response.writeHead(isFailure ? 500 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ version: values.version, path: request.url, digest }));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
