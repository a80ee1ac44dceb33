// In: a server. Out: for each probe a load that it is about, and how many events of its kind that had.
import { execa } from 'execa';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Nginx } from '../support/nginx.ts';
import { serverScript } from '../support/servers.ts';
import { startRunqlat, startTool, type Tool } from './probes.ts';
import { wrkFlatOut } from './wrk.ts';

export interface ProbeLoad {
  readonly probe: string;
  readonly name: string;
  /** What the probe counts; by default each run of its programs. */
  readonly event: string;
  /** Resolves with the number of events; undefined: as many as its programs ran. */
  readonly run: () => Promise<number | undefined>;
  /** A tool of Debian that counts the same. */
  readonly peer?: { readonly name: string; readonly start: () => Promise<Tool> };
}

export const loadsFor = ({ port, http2Url, tlsUrl }: Nginx, seconds: number): readonly ProbeLoad[] => {
  const url = `http://127.0.0.1:${port}/hello`;
  const requests = async (headers = {}) => (await wrkFlatOut(url, 4, seconds, headers)).requests;
  const encrypted = async () => (await wrkFlatOut(`${tlsUrl}/hello`, 4, seconds)).requests;
  return [
    { probe: 'http', name: 'wrk and nginx', event: 'request', run: () => requests() },
    { probe: 'http2', name: 'h2load and nginx', event: 'stream', run: () => streams(http2Url) },
    { probe: 'tls', name: 'wrk and nginx, by TLS', event: 'request', run: encrypted },
    { probe: 'turnaround', name: 'wrk and nginx', event: 'turn', run: () => requests() },
    {
      probe: 'tcp',
      name: 'wrk and nginx, a connection each',
      event: 'end of a connection',
      run: async () => 2 * (await requests({ connection: 'close' })),
      peer: { name: 'tcplife (bcc)', start: () => startTool(['tcplife-bpfcc']) },
    },
    {
      probe: 'runqueue',
      name: 'two processes that wake each other on one core',
      event: 'switch',
      run: () => switches(seconds),
      peer: { name: 'runqlat (bpftrace)', start: startRunqlat },
    },
    {
      probe: 'blockio',
      name: 'dd from a loop device, direct, 4 kB',
      event: 'request',
      run: reads,
      peer: { name: 'biolatency (bcc)', start: () => startTool(['biolatency-bpfcc', '1']) },
    },
  ];
};

const streams = async (url: string): Promise<number> => {
  const count = 50_000;
  await execa('taskset', ['-c', '0', 'h2load', '-n', String(count), '-c', '4', '-m', '5', `${url}/hello`]);
  return count;
};

const switches = async (seconds: number): Promise<undefined> => {
  await execa('taskset', ['-c', '0', 'timeout', String(seconds), 'python3', serverScript('ping-pong.py')], {
    reject: false,
  });
};

const reads = async (): Promise<number> => {
  const count = 20_000;
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-bench-'));
  const file = join(folder, 'disk');
  await execa('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', 'count=80']);
  const { stdout: device } = await execa('losetup', ['--find', '--show', file]);
  try {
    await execa('dd', [`if=${device}`, 'of=/dev/null', 'bs=4k', `count=${count}`, 'iflag=direct']);
    return count;
  } finally {
    await execa('losetup', ['--detach', device]);
    await rm(folder, { recursive: true });
  }
};
