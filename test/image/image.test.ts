// The image, as docker builds it from the Dockerfile, in a container with the rights of the README and no more.
import { execa } from 'execa';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { isRunning } from '../../demo/cgroup.ts';
import { createTestDocker, missingForDocker, type TestDocker } from '../support/docker.ts';
import { baseArchive } from './base.ts';

const root = new URL('../..', import.meta.url).pathname;
const image = 'plumbline:test';
const url = 'http://127.0.0.1:9736';
/** Debian 12's Docker, which is 20.10, knows of no CAP_BPF. */
const rightsOf = (dockerVersion: string) => {
  const own = Number.parseInt(dockerVersion) < 23 ? ['SYS_ADMIN'] : ['BPF', 'PERFMON'];
  return ['--cap-drop', 'ALL', ...[...own, 'SETUID', 'SETGID'].flatMap((name) => ['--cap-add', name])];
};

describe('image', () => {
  let docker: TestDocker;

  beforeAll(async () => {
    expect(await missingForDocker()).toEqual([]);
    docker = await createTestDocker(['plumbline-test:1.0'], { storageDriver: 'overlay2' });
    await docker.docker(['import', await baseArchive(), 'plumbline-base:test']);
    const build = ['build', '--network', 'host', '--build-arg', 'BASE=plumbline-base:test', '--tag', image];
    await docker.docker([...build, '.'], root);
    return () => docker.dispose();
  }, 900_000);

  const untilReady = async (agent: string): Promise<void> => {
    const startedMs = performance.now();
    const isReady = async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok ?? false;
    while (!(await isReady())) {
      await sleep(50);
      if (performance.now() - startedMs > 60_000) throw new Error(await docker.docker(['logs', agent]));
    }
  };

  test('two versions in containers are measured by name, with four capabilities, read-only, and listened for by nobody', async () => {
    const serve = async (version: string, port: number) => {
      const script = `require('http').createServer((request, response) => response.end('hello')).listen(${port}, '127.0.0.1')`;
      const labels = ['--label', 'plumbline.app=shop', '--label', `plumbline.version=${version}`];
      const flags = ['--detach', '--network', 'host', ...labels, '--entrypoint', 'node'];
      return docker.docker(['run', ...flags, image, '-e', script]);
    };
    await serve('v1', 19_001);
    await serve('v2', 19_002);
    const startedMs = performance.now();
    const agent = await docker.docker([
      'run',
      ...['--detach', '--network', 'host', '--pid', 'host', '--read-only'],
      ...rightsOf(await docker.docker(['version', '--format', '{{.Server.Version}}'])),
      ...['--volume', '/sys/kernel/tracing:/sys/kernel/tracing:ro'],
      ...['--volume', '/sys/fs/cgroup:/sys/fs/cgroup:ro'],
      ...['--volume', `${docker.socket}:/var/run/docker.sock:ro`],
      ...['--security-opt', 'seccomp=unconfined'],
      image,
    ]);
    await untilReady(agent);
    process.stderr.write(`ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);

    for (let index = 0; index < 30; index++) {
      await request(19_001);
      if (index < 20) await request(19_002);
    }
    await sleep(3500);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const requestsOf = (version: string) => {
      const name = 'plumbline_http_request_duration_seconds_count';
      const line = metrics
        .split('\n')
        .find((text) => text.startsWith(name) && text.includes(`app="shop",version="${version}"`));
      return Number(line?.split(' ').at(-1));
    };
    expect([requestsOf('v1'), requestsOf('v2')]).toEqual([30, 20]);
    expect(metrics).toMatch(/plumbline_probe_info\{.*probe="http".*mode="full".*\} 1/);

    const { stdout } = await execa('docker', [
      '--host',
      `unix://${docker.socket}`,
      'top',
      agent,
      '-eo',
      'pid,uid,args',
    ]);
    expect(stdout).toMatch(/^\d+ +0 .*plumbline\.js agent/m);
    expect(stdout).toMatch(/^\d+ +65532 .*plumbline\.js listen/m);
    expect(stdout).toMatch(/^\d+ +0 +bpftrace/m);

    await docker.docker(['stop', agent]);
    expect(await docker.docker(['inspect', '--format', '{{.State.ExitCode}}', agent])).toBe('0');

    // Killed, it leaves nothing that measures on, and starts again.
    await docker.docker(['start', agent]);
    await untilReady(agent);
    const listed = await docker.docker(['top', agent, '-eo', 'pid']);
    const pids = [...listed.matchAll(/\d+/g)].map(Number);
    expect(pids).toHaveLength(3);
    await docker.docker(['kill', agent]);
    for (let waitedMs = 0; waitedMs < 10_000 && pids.some(isRunning); waitedMs += 100) await sleep(100);
    expect(pids.filter(isRunning)).toEqual([]);
  }, 180_000);

  test('four capabilities are enough for its bpftrace to run every probe in full', async () => {
    await inFolder(async (folder) => {
      const container = await docker.docker(['create', image]);
      await docker.docker(['export', '--output', join(folder, 'image.tar'), container]);
      await execa('tar', ['--extract', '--file', 'image.tar'], { cwd: folder });
      const capabilities = ['bpf', 'perfmon', 'setuid', 'setgid', 'sys_chroot'].map((name) => `,+${name}`);
      // The mounts end with their namespace.
      const script = `mount --rbind /sys sys && mount -t proc proc proc &&
        exec setpriv --bounding-set=-all${capabilities.join('')} chroot . node /plumbline/agent/bin/plumbline.js check --json`;
      const { stdout } = await execa('unshare', ['--mount', 'sh', '-c', script], {
        cwd: folder,
        env: { PATH: '/usr/local/bin:/usr/sbin:/usr/bin' },
        extendEnv: false,
      });
      const { fit, probes } = JSON.parse(stdout) as { fit: boolean; probes: { mode: string }[] };
      expect(fit).toBe(true);
      expect(new Set(probes.map(({ mode }) => mode))).toEqual(new Set(['full']));
    });
  }, 60_000);

  test('says to scanners which packages its files are from', async () => {
    const script =
      "const { readdirSync, readFileSync } = require('fs'); process.chdir('/var/lib/dpkg/status.d')";
    const print =
      "readdirSync('.').map((name) => readFileSync(name, 'utf8')).join('') + readFileSync('/etc/os-release')";
    const said = await docker.docker(['run', '--entrypoint', 'node', image, '-p', `${script}; ${print}`]);
    expect(said).toMatch(/^Package: bpftrace\nStatus: install ok installed\n(.+\n)*Version: 0\.23/m);
    for (const name of ['libc6', 'libllvm19', 'libstdc++6']) expect(said).toContain(`Package: ${name}\n`);
    expect(said).toContain('VERSION_ID="13"');
  });

  test('has no shell, a health check, and runs the other commands as any user', async () => {
    expect(await docker.docker(['run', '--entrypoint', 'sh', image, '-c', 'echo hello'])).toBe('');
    await expect(docker.docker(['run', '--entrypoint', 'bash', image])).rejects.toThrow(
      'executable file not found',
    );
    expect(await docker.docker(['inspect', '--format', '{{.Config.Healthcheck.Test}}', image])).toContain(
      'node',
    );
    expect(
      await docker.docker([
        'run',
        '--user',
        '65532',
        '--cap-drop',
        'ALL',
        '--read-only',
        image,
        'bpf',
        'http',
      ]),
    ).toContain('tracepoint:');
  });
});

const inFolder = async (use: (folder: string) => Promise<void>) => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-image-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** One request on a connection of its own. */
const request = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.resume().once('end', resolve);
    }).once('error', reject);
  });
