import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { maxAnswerBytes } from './docker-api.ts';
import { createDockerSource } from './docker.ts';
import { workloadsSchema } from './schema.ts';

const id = 'a1'.repeat(32);
const container = { Id: id, Names: ['/web'], Image: 'shop:v1', Labels: { 'plumbline.app': 'shop' } };
const list = (containers: readonly unknown[]) => (response: ServerResponse) => {
  response.end(JSON.stringify(containers));
};

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

interface SetUpOptions {
  readonly enabled?: true | 'auto';
  readonly timeoutMs?: number;
}

/** A source whose daemon says what the test wants, on a clock of the test's own. */
const setUp = ({ enabled = 'auto', timeoutMs = 2000 }: SetUpOptions = {}) => {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-docker-'));
  const socket = join(directory, 'docker.sock');
  const world = { nowMs: 1_000_000, asked: 0, lines: [] as string[], answer: list([container]) };
  const log = pino({ base: null }, { write: (line: string) => void world.lines.push(line) });
  const config = workloadsSchema.parse({ docker: { enabled, socket } }).docker;
  const source = createDockerSource({ config, log, now: () => world.nowMs, timeoutMs });
  const start = async (): Promise<() => void> => {
    const server = createServer((_, response) => {
      world.asked += 1;
      world.answer(response);
    }).listen(socket);
    await once(server, 'listening');
    const stop = (): void => {
      server.close();
      server.closeAllConnections();
    };
    cleanUps.push(stop);
    return stop;
  };
  cleanUps.push(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const seconds = async (count: number, ...paths: readonly string[]): Promise<void> => {
    for (let second = 0; second < count; second += 1) {
      await source.refresh(paths);
      world.nowMs += 1000;
    }
  };
  return { world, source, start, seconds };
};

describe('Docker as a source', () => {
  it('names the cgroup of a container', async () => {
    const { source, start, seconds } = setUp();
    await start();
    await seconds(1);
    expect(source.workloadAt(`/docker/${id}`)).toEqual({ namespace: 'docker', app: 'shop', version: 'v1' });
    expect(source.workloadAt(`/docker/${'b2'.repeat(32)}`)).toBeUndefined();
    expect(source.state()).toEqual({ name: 'docker', up: true, errors: 0, lastSuccessMs: 1_000_000 });
  });

  it('is asked again for an unknown container, ever more rarely if Docker does not know it either', async () => {
    const { world, source, start, seconds } = setUp();
    await start();
    await seconds(5);
    expect(world.asked).toBe(1);
    const other = 'b2'.repeat(32);
    world.answer = list([container, { ...container, Id: other }]);
    await seconds(1, `/docker/${other}`);
    expect(source.workloadAt(`/docker/${other}`)).toBeDefined();
    expect(world.asked).toBe(2);
    await seconds(60, `/docker/${other}`, `/docker/${'c3'.repeat(32)}`);
    expect(world.asked).toBeLessThan(12);
  });

  it('keeps a container that is no longer listed for five minutes', async () => {
    const { world, source, start, seconds } = setUp();
    await start();
    await seconds(1);
    world.answer = list([]);
    await seconds(120);
    expect(source.workloadAt(`/docker/${id}`)).toBeDefined();
    await seconds(240);
    expect(source.workloadAt(`/docker/${id}`)).toBeUndefined();
  });

  it('is no source at all where there is no socket', async () => {
    const { world, source, seconds } = setUp();
    await seconds(60, `/docker/${id}`);
    expect(source.state()).toBeUndefined();
    expect(world.lines).toEqual([]);
  });

  it('is down where the configuration requires it and there is no socket', async () => {
    const { world, source, seconds } = setUp({ enabled: true });
    await seconds(60);
    expect(source.state()).toMatchObject({ up: false });
    expect(world.lines).toHaveLength(1);
    expect(world.lines[0]).toContain('ENOENT');
  });

  it('keeps what it knows while the daemon is away, and says so once', async () => {
    const { world, source, start, seconds } = setUp();
    const stop = await start();
    await seconds(1);
    stop();
    await seconds(120, `/docker/${'b2'.repeat(32)}`);
    expect(source.workloadAt(`/docker/${id}`)).toBeDefined();
    expect(source.state()).toMatchObject({ up: false, lastSuccessMs: 1_000_000 });
    expect(source.state()?.errors).toBeGreaterThan(5);
    await start();
    await seconds(10);
    expect(source.state()).toMatchObject({ up: true });
    expect(world.lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'Docker answers',
      'Docker gives no usable answer, what is known stays in force',
      'Docker answers',
    ]);
  });

  it('passes over containers of the wrong shape, and counts them', async () => {
    const { world, source, start, seconds } = setUp();
    world.answer = list([null, { Id: 7 }, { ...container, Labels: { app: 7 } }, container]);
    await start();
    await seconds(1);
    expect(source.workloadAt(`/docker/${id}`)).toBeDefined();
    expect(source.state()).toMatchObject({ up: true, errors: 3 });
  });

  const drip = (response: ServerResponse): void => {
    const timer = setInterval(() => response.write('['), 20);
    response.on('close', () => {
      clearInterval(timer);
    });
  };
  const flood = (response: ServerResponse): void => {
    const more = (): void => {
      while (response.write(Buffer.alloc(65_536, '['))) if (response.destroyed) return;
    };
    response.on('drain', more);
    more();
  };

  it.each<[string, (response: ServerResponse) => void, string]>([
    ['half of a JSON text', (response) => response.end('[{"Id":"'), 'JSON'],
    ['nothing', (response) => response.end(), 'JSON'],
    [
      'another shape',
      (response) => response.end('{"message":"no"}'),
      'Expected a list of containers, got object',
    ],
    [
      'an error',
      (response) => response.writeHead(500).end('x'.repeat(1000)),
      'Expected status 200, got 500: xx',
    ],
    [
      'millions of nothing',
      (response) => response.end(`[${'0,'.repeat(4e6)}0]`),
      'Expected at most 10000 containers',
    ],
    ['10 MB', (response) => response.end(Buffer.alloc(1e7, ' ')), `Expected at most ${maxAnswerBytes} bytes`],
    ['without end, fast', flood, `Expected at most ${maxAnswerBytes} bytes`],
    ['without end, byte by byte', drip, 'Expected an answer within 300 ms'],
    ['nothing ever', () => undefined, 'Expected an answer within 300 ms'],
    ['no HTTP', (response) => response.socket?.end('hello\r\n\r\n'), 'Parse Error'],
    ['a cut connection', (response) => response.socket?.destroy(), 'socket hang up'],
    [
      'a connection cut in the body',
      (response) => {
        response.writeHead(200, { 'content-length': 100 }).write('[');
        setTimeout(() => response.socket?.destroy(), 20);
      },
      'aborted',
    ],
  ])('survives a daemon that answers with %s', async (_, answer, reason) => {
    const { world, source, start, seconds } = setUp({ timeoutMs: reason.includes('300') ? 300 : 5000 });
    await start();
    await seconds(1);
    world.answer = answer;
    world.nowMs += 60_000;
    await seconds(1);
    expect(source.state()).toMatchObject({ up: false, errors: 1 });
    expect(source.workloadAt(`/docker/${id}`)).toBeDefined();
    expect(world.lines.at(-1)).toContain(reason);
  });
});
