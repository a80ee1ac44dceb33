// The demo's load: requests at an even pace to each HOST:PORT given, whether or not earlier ones were answered.
import { Agent, get } from 'node:http';
import { parseArgs } from 'node:util';

const { values, positionals: targets } = parseArgs({
  options: { rate: { type: 'string', default: '100' } },
  allowPositionals: true,
});
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const stepMs = 1000 / Number(values.rate);
/** Most requests come over connections that are there; as with real clients, one in so many over a new one. */
const newConnectionEvery = 100;

for (const target of targets) {
  const [host = '127.0.0.1', port = ''] = target.split(':');
  let dueMs = performance.now() + Math.random() * stepMs;
  let sent = 0;
  const step = () => {
    // A machine that stood still for a while is not flooded afterwards.
    dueMs = Math.max(dueMs, performance.now() - 100);
    for (; dueMs <= performance.now(); dueMs += stepMs) {
      const isNew = ++sent % newConnectionEvery === 0;
      const options = { host, port, path: '/checkout', agent: isNew ? false : agent } as const;
      get(options, (response) => response.resume()).on('error', () => {
        // The service is being stopped.
      });
    }
    setTimeout(step, Math.max(0, dueMs - performance.now()));
  };
  step();
}
process.stdout.write('started\n');
