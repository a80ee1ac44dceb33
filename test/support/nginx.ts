// Out: nginx with one worker in a cgroup, on a free port, with a static file, a constant answer and a counter.
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, type Placement } from '../../demo/child.ts';
import type { Certificates } from './certificates.ts';

export interface Nginx {
  readonly port: number;
  /** The same by HTTP/2 without TLS, and a few statuses by path. */
  readonly http2Url: string;
  /** Also by TLS, HTTP/1 and HTTP/2, if there were certificates; a client's is asked for. */
  readonly tlsUrl: string;
  /** Requests that nginx says it has served; asking counts as one. */
  readonly served: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Of /large.bin: more than sockets hold. */
export const largeBytes = 16 * 2 ** 20;

export const startNginx = async (placement: Placement, certificates?: Certificates): Promise<Nginx> => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-nginx-'));
  const port = await freePort();
  const http2Port = await freePort();
  const tlsPort = await freePort();
  await mkdir(join(folder, 'html'), { mode: 0o755 });
  await writeFile(join(folder, 'html', 'file.txt'), 'x'.repeat(20_000));
  await writeFile(join(folder, 'html', 'large.bin'), '');
  await truncate(join(folder, 'html', 'large.bin'), largeBytes);
  for (const [name, text] of Object.entries<string>({ ...certificates }))
    await writeFile(join(folder, name), text);
  const tlsServer = `server {
    listen 127.0.0.1:${tlsPort} ssl http2;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate cert; ssl_certificate_key key;
    ssl_client_certificate ca; ssl_verify_client optional;
    root ${folder}/html;
    location = /hello { return 200 "hello"; }
  }`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  await writeFile(
    join(folder, 'nginx.conf'),
    `user root; worker_processes 1; daemon off; error_log stderr crit; pid ${folder}/pid;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; keepalive_requests 100000000; ${temporary.join(' ')}
  server {
    listen 127.0.0.1:${port};
    root ${folder}/html;
    location = /hello { return 200 "hello"; }
    location = /broken { return 500 "broken"; }
    location = /served { stub_status; }
  }
  server {
    listen 127.0.0.1:${http2Port} http2;
    root ${folder}/html;
    location = /hello { return 200 "hello"; }
    location = /created { return 201 "created"; }
    location = /moved { return 302 /hello; }
    location = /teapot { return 418 "teapot"; }
  }
  ${certificates === undefined ? '' : tlsServer}
}
`,
  );
  const child = await startChild(['nginx', '-c', join(folder, 'nginx.conf')], placement);
  const url = `http://127.0.0.1:${port}`;
  while (
    !(await fetch(`${url}/hello`).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    await sleep(20);
  return {
    port,
    http2Url: `http://127.0.0.1:${http2Port}`,
    tlsUrl: `https://127.0.0.1:${tlsPort}`,
    served: async () => {
      const text = await (await fetch(`${url}/served`)).text();
      return Number(/^ \d+ \d+ (\d+)/m.exec(text)?.[1]);
    },
    stop: async () => {
      await child.stop();
      await rm(folder, { recursive: true });
    },
  };
};

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};
