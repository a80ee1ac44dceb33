// What goes wrong on real nodes: each gives a clear message or a self-metric, and nothing counted is lost.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execa } from 'execa';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentReport } from '../../agent/src/exposition/report.ts';
import { checkTracepoints } from '../../agent/src/bpftrace/preflight.ts';
import { createCgroupTree, isRunning, type CgroupTree } from '../../demo/cgroup.ts';
import { plumbline, startAgent, valueOf, withFile } from '../support/agent.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { startNginx, type Nginx } from '../support/nginx.ts';
import { bpftracesOf, untilGone } from '../support/processes.ts';
import { requestCount } from '../support/series.ts';
import { versionsIn } from '../support/servers.ts';

const run = (...args: readonly string[]) =>
  execa(process.execPath, [plumbline, ...args], { reject: false, timeout: 30_000 });

describeKernel('faults', () => {
  let tree: CgroupTree;
  let nginx: Nginx;
  let config: string;

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-faults');
    nginx = await startNginx({ tree, cgroup: 'nginx-v1' });
    config = versionsIn(tree);
  });
  afterAll(async () => {
    await nginx.stop();
    await tree.remove();
  });

  const request = async (times: number) => {
    const connection = await openConnection(nginx.port);
    for (let index = 1; index <= times; index++) {
      connection.send(get('/hello'));
      await connection.responses(index);
    }
    connection.socket.destroy();
  };

  test('bpftrace is killed: it is started again, and totals go on from where they were', async () => {
    let log = '';
    const agent = await startAgent(config, { onLog: (text) => (log += text) });
    try {
      await request(30);
      await agent.settle();
      expect(requestCount(await agent.series(), 'nginx')).toBe(30);
      const [bpftrace = 0] = await bpftracesOf(agent.pid);
      process.kill(bpftrace, 'SIGKILL');
      while ((await fetch(`${agent.url}/readyz`)).ok) await sleep(50);
      expect(requestCount(await agent.series(), 'nginx')).toBe(30);
      while (!(await fetch(`${agent.url}/readyz`)).ok) await sleep(100);
      await request(12);
      await agent.settle();
      expect(requestCount(await agent.series(), 'nginx')).toBe(42);
      expect(valueOf(await agent.metrics(), 'plumbline_probe_restarts_total'), log).toBe(1);
    } finally {
      expect((await agent.stop()).exitCode).toBe(0);
    }
  });

  test('the agent is killed with SIGKILL: bpftrace does not outlive it for long', async () => {
    const agent = await startAgent(config);
    const [bpftrace = 0] = await bpftracesOf(agent.pid);
    expect(isRunning(bpftrace)).toBe(true);
    await agent.stop('SIGKILL');
    await untilGone([bpftrace]);
  });

  test('the agent ends with SIGTERM: status 0, and bpftrace is gone with it', async () => {
    const agent = await startAgent(config);
    const [bpftrace = 0] = await bpftracesOf(agent.pid);
    expect((await agent.stop()).exitCode).toBe(0);
    expect(isRunning(bpftrace)).toBe(false);
  });

  test('bpftrace prints garbage and half lines: they are counted, and what can be read is', async () => {
    const fake = `#!/bin/sh
[ "$1" = --version ] && echo "bpftrace v0.17.0" && exit
echo 'Attaching 18 probes...'
while sleep 0.1; do
  echo '{"type": "map", "data": {"@http_requests": {"1,2,134": 5, "1,2'
  echo '{"type": "map", "data": {"@http_requests": {"1,2,134": 5}}}'
  echo '{"type": "map", "data": {"@tick": 1}}'
done
`;
    await withFile(
      fake,
      async (path) => {
        const agent = await startAgent(`bpftrace: { path: ${path} }`);
        try {
          await agent.settle();
          expect(requestCount(await agent.series(), 'unknown')).toBe(5);
          expect(valueOf(await agent.metrics(), 'plumbline_probe_parse_errors_total')).toBeGreaterThan(1);
        } finally {
          const { stderr } = await agent.stop();
          expect(stderr.match(/skipped a line/g)).toHaveLength(1);
        }
      },
      0o755,
    );
  });

  test('bpftrace ends at once, again and again: the agent stays, says why, and slows down', async () => {
    const fake =
      '#!/bin/sh\n[ "$1" = --version ] && echo "bpftrace v0.17.0" && exit\necho "ERROR: no such luck" >&2; exit 1\n';
    await withFile(
      fake,
      async (path) => {
        const agent = await startAgent(`bpftrace: { path: ${path} }`, { awaitReady: false });
        const restarts = async () => valueOf(await agent.metrics(), 'plumbline_probe_restarts_total');
        while ((await restarts()) < 3) await sleep(100);
        expect(valueOf(await agent.metrics(), 'plumbline_probe_up')).toBe(0);
        const { stderr, exitCode } = await agent.stop();
        expect(stderr).toContain('no such luck');
        const pausesMs = Array.from(stderr.matchAll(/"pauseMs":(\d+)/g), ([, ms]) => Number(ms));
        expect(pausesMs.slice(0, 3)).toEqual([500, 1000, 2000]);
        expect(exitCode).toBe(0);
      },
      0o755,
    );
  });

  test('one probe is refused: it is left out and said so, and the others run', async () => {
    const picky = `#!/bin/sh
[ "$1" = --version ] && exec bpftrace --version
cat > "$0.bt"
grep -q sched_switch "$0.bt" && echo "ERROR: Error loading program: tracepoint:sched:sched_switch" >&2 && exit 1
exec bpftrace "$@" < "$0.bt"
`;
    await withFile(
      picky,
      async (path) => {
        const agent = await startAgent(`bpftrace: { path: ${path} }\n${config}`, {
          probes: ['http', 'runqueue', 'blockio'],
        });
        try {
          await request(7);
          expect(requestCount(await agent.settledSeries(), 'nginx')).toBe(7);
          const metrics = await agent.metrics();
          const up = (probe: string) =>
            Number(new RegExp(`^plumbline_probe_up\\{.*probe="${probe}"\\} (.*)$`, 'm').exec(metrics)?.[1]);
          expect([up('http'), up('runqueue'), up('blockio')]).toEqual([1, 0, 1]);
          // It should run: that is what tells it, to the alert, from one for which the kernel is too old.
          expect(metrics).toMatch(/^plumbline_probe_info\{.*probe="runqueue",mode="full"\} 1$/m);
          const { probes } = (await (await fetch(`${agent.url}/api/v1/agent`)).json()) as AgentReport;
          const runqueue = probes.find(({ name }) => name === 'runqueue');
          expect(runqueue).toMatchObject({
            mode: 'none',
            lacking: [{ found: expect.stringContaining('Error loading program') as string }],
          });
        } finally {
          const { stderr, exitCode } = await agent.stop();
          expect(stderr).toMatch(/"probe":"runqueue",.*Error loading program.*probe left out/);
          expect(exitCode).toBe(0);
        }
      },
      0o755,
    );
  });

  test.each([
    [
      'missing',
      'bpftrace: { path: /nowhere/bpftrace }',
      /bpftrace: \/nowhere\/bpftrace: not found. Remedy: apt-get install bpftrace/,
    ],
    ['unreadable configuration', 'bpftrace: [', /not YAML/],
    ['wrong configuration', 'interval: 5', /interval: expected a duration such as 500ms, 1s or 10m, got 5/],
  ])('%s: the agent does not start, and says what to do', async (_what, yaml, message) => {
    await withFile(yaml, async (file) => {
      const { exitCode, stderr } = await run('agent', '--config', file);
      expect(stderr).toMatch(message);
      expect(exitCode).toBeGreaterThan(0);
      expect(stderr).not.toContain('    at ');
    });
  });

  test('bpftrace is too old: the check says so and fails', async () => {
    await withFile(
      '#!/bin/sh\necho "bpftrace v0.16.0"\n',
      async (path) => {
        await withFile(`bpftrace: { path: ${path} }`, async (file) => {
          const { exitCode, stdout } = await run('check', '--json', '--config', file);
          const { findings } = JSON.parse(stdout) as {
            findings: { name: string; status: string; remedy?: string }[];
          };
          expect(findings.find(({ name }) => name === 'bpftrace')).toMatchObject({
            status: 'missing',
            remedy: expect.stringContaining('0.17 or newer') as string,
          });
          expect(exitCode).toBe(1);
        });
      },
      0o755,
    );
  });

  test('a tracepoint or a field is missing: it is named', () => {
    const findings = checkTracepoints([
      { category: 'sched', name: 'sched_of_tomorrow', fields: [] },
      { category: 'sched', name: 'sched_switch', fields: ['prev_pid', 'mood'] },
      { category: 'sched', name: 'sched_switch', fields: ['prev_pid'] },
    ]);
    expect(findings.map(({ status, found }) => [status, found])).toEqual([
      ['missing', 'not there'],
      ['missing', 'without mood'],
      ['ok', 'prev_pid'],
    ]);
  });

  test('tracefs is not readable: that is said once, and nothing of the kernel', () => {
    process.seteuid?.(65_534);
    try {
      const findings = checkTracepoints([
        { category: 'sched', name: 'sched_switch', fields: [] },
        { category: 'sched', name: 'sched_wakeup', fields: [] },
      ]);
      expect(findings.map(({ found, remedy }) => [found, remedy])).toEqual([
        ['cannot be told: tracefs is not readable', 'run as root'],
      ]);
    } finally {
      process.seteuid?.(0);
    }
  });

  test('without rights the check names the remedy and fails', async () => {
    const { exitCode, stdout } = await execa(
      'setpriv',
      [
        // Still root, since a checkout under /root is readable for no one else, but without a single capability.
        '--bounding-set=-all',
        process.execPath,
        plumbline,
        'check',
      ],
      { reject: false },
    );
    expect(stdout).toMatch(/MISSING +rights +uid 0 without CAP_BPF and CAP_PERFMON\n +remedy: run as root/);
    expect(exitCode).toBe(1);
  });

  test('on this machine the check is clean', async () => {
    const { exitCode, stdout } = await run('check');
    expect(stdout).not.toContain('MISSING');
    expect(exitCode).toBe(0);
  });

  test('the port is in use: the message names it and the remedy', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await withFile(`listen: 127.0.0.1:${port}`, async (file) => {
      const { exitCode, stderr } = await run('agent', '--config', file);
      expect(stderr).toContain(`Cannot listen on 127.0.0.1:${port} (EADDRINUSE)`);
      expect(stderr).toContain('set "listen"');
      expect(exitCode).toBe(1);
    });
    other.close();
  });

  test('a wrong command or option is an error that says where the help is, with status 2', async () => {
    for (const [help, ...args] of [
      ['bpf --help', 'bpf', 'htp'],
      ['top --help', 'top', '--count', 'x'],
      ['--help', 'agnt'],
    ]) {
      const { exitCode, stderr } = await run(...args);
      expect(stderr).toMatch(/^error: /);
      expect(stderr.split('\n').at(-1)).toBe(`See plumbline ${help}`);
      expect(exitCode).toBe(2);
    }
  });

  test('a reader that has seen enough is no error', async () => {
    const command = `${process.execPath} ${plumbline} bpf http | head -1; exit \${PIPESTATUS[0]}`;
    const { stdout, stderr, exitCode } = await execa('bash', ['-c', command], { reject: false });
    expect(stdout.split('\n')).toHaveLength(1);
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  test('top without an agent says how to start one', async () => {
    const { exitCode, stderr } = await run('top', '--url', 'http://127.0.0.1:1');
    expect(stderr).toContain('Remedy: start one with "plumbline agent"');
    expect(exitCode).toBe(1);
  });
});
