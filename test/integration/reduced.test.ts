// Without BTF, which a mount hides from the agent: what still works, and that an old verifier would take it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execa } from 'execa';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { startChild, type Child } from '../../demo/child.ts';
import { plumbline, startAgent, type RunningAgent } from '../support/agent.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { counter, quantile, requestsByCode, sumSeconds } from '../support/series.ts';

const withoutBtf: readonly string[] = [
  'unshare',
  '-m',
  'sh',
  '-c',
  'mount -t tmpfs none /sys/kernel/btf && exec "$@"',
  'sh',
];

/** Of Linux 4.18, by their names since: bpftrace falls back to probe_read and ktime_get_ns where others are not there. */
const oldHelpers = new Set([
  ...['map_lookup_elem', 'map_update_elem', 'map_delete_elem', 'perf_event_output'],
  ...['probe_read', 'probe_read_user', 'probe_read_kernel', 'ktime_get_ns', 'ktime_get_boot_ns'],
  ...['get_current_pid_tgid', 'get_current_cgroup_id', 'get_smp_processor_id'],
]);

describeKernel('without BTF', () => {
  let tree: CgroupTree;
  let agent: RunningAgent;
  const children: Child[] = [];

  const startServer = async (kind: 'node' | 'python'): Promise<{ app: string; port: number }> => {
    const script = (name: string) => new URL(`../support/servers/${name}`, import.meta.url).pathname;
    const command =
      kind === 'node' ? [process.execPath, script('event-loop.js')] : ['python3', script('blocking.py')];
    const app = `${kind}${children.length}`;
    const child = await startChild(command, { tree, cgroup: `${app}-v1` });
    children.push(child);
    return { app, port: Number(await child.firstLine()) };
  };
  const settled = async () => {
    await agent.settle();
    return agent.series();
  };

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-reduced');
    agent = await startAgent(
      `workloads: { static: [{ cgroup: "${tree.path}/*-*", app: $1, version: $2 }] }`,
      { under: withoutBtf, probes: 'all' },
    );
  });

  afterAll(async () => {
    await agent.stop();
    await Promise.all(children.map((child) => child.stop()));
    await tree.remove();
  });

  test('the check says what is reduced and why, and the agent says it in its metrics', async () => {
    const [command, ...args] = [...withoutBtf, process.execPath, plumbline, 'check', '--json'];
    const { stdout, exitCode } = await execa(command, args, { reject: false });
    const { fit, probes } = JSON.parse(stdout) as { fit: boolean; probes: { name: string; mode: string }[] };
    expect({ fit, exitCode }).toEqual({ fit: true, exitCode: 0 });
    expect(probes).toContainEqual(
      expect.objectContaining({
        name: 'http',
        mode: 'reduced',
        lacking: [
          expect.objectContaining({ name: 'types of the kernel', remedy: expect.any(String) as string }),
        ],
      }),
    );
    const metrics = await agent.metrics();
    for (const { name, mode } of probes) {
      const hasInfo = new RegExp(`probe_info.*probe="${name}",mode="${mode}"`).test(metrics);
      expect(hasInfo, `${name} ${mode}`).toBe(mode !== 'none');
    }
  });

  test.each(['node', 'python'] as const)('%s: every request counts, by status class', async (kind) => {
    const { app, port } = await startServer(kind);
    const connection = await openConnection(port);
    const statuses = [200, 204, 304, 404, 503];
    for (let round = 0; round < 50; round++) {
      connection.send(get(`/status/${statuses[round % 5] ?? 200}`));
      await connection.responses(round + 1);
    }
    connection.send(get() + get() + get());
    await connection.responses(53);
    connection.socket.destroy();
    const series = await settled();
    expect(requestsByCode(series, app)).toEqual({ '2xx': 23, '3xx': 10, '4xx': 10, '5xx': 10 });
    expect(counter(series, 'plumbline_http_unmatched_responses_total', app)).toBe(0);
    expect(counter(series, 'plumbline_http_unanswered_total', app)).toBe(0);
  });

  test('a handler that waits is slow, and nothing is said about the net duration', async () => {
    const { app, port } = await startServer('node');
    const connection = await openConnection(port);
    connection.send(get('/wait/100'));
    await connection.responses(1);
    connection.socket.destroy();
    const series = await settled();
    expect(quantile(series, app, 0.5)).toBeGreaterThan(0.095);
    expect(sumSeconds(series, app)).toBeLessThan(0.2);
    expect(await agent.metrics()).not.toContain('plumbline_http_request_net_duration');
  });

  test('connections that are closed without an answer, and what follows 101, are understood', async () => {
    const { app, port } = await startServer('node');
    const dropped = await openConnection(port);
    dropped.send(get('/drop'));
    await sleep(100);
    const upgraded = await openConnection(port);
    upgraded.send('GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await upgraded.responses(1);
    upgraded.send(get());
    await upgraded.responses(2);
    upgraded.socket.destroy();
    await sleep(100);
    const series = await settled();
    expect(requestsByCode(series, app)).toEqual({ '1xx': 1 });
    expect(counter(series, 'plumbline_http_unanswered_total', app)).toBe(1);
  });

  test('the verifier of Linux 4.18 would take every program: its length, its jumps, its helpers', async () => {
    const programs = await programsOf(await bpftraceOf(agent.pid));
    expect(programs.length).toBeGreaterThan(5);
    for (const { name, instructions, helpers, hasLoop } of programs) {
      expect(instructions, name).toBeLessThanOrEqual(4096);
      expect(hasLoop, name).toBe(false);
      for (const helper of helpers) expect(oldHelpers, name).toContain(helper);
    }
  });
});

const bpftraceOf = async (agentPid: number): Promise<number> => {
  const { stdout } = await execa('pgrep', ['--parent', String(agentPid), 'bpftrace']);
  return Number(stdout);
};

interface LoadedProgram {
  readonly name: string;
  readonly instructions: number;
  readonly helpers: readonly string[];
  readonly hasLoop: boolean;
}

/** The programs that a process has loaded, as the kernel runs them. */
const programsOf = async (pid: number): Promise<readonly LoadedProgram[]> => {
  const folder = `/proc/${pid}/fdinfo`;
  const infos = await Promise.all(
    (await readdir(folder)).map((fd) => readFile(`${folder}/${fd}`, 'utf8').catch(() => '')),
  );
  const ids = new Set(infos.flatMap((info) => /^prog_id:\s*(\d+)$/m.exec(info)?.[1] ?? []));
  return Promise.all(
    [...ids].map(async (id) => {
      const { stdout } = await execa('bpftool', ['prog', 'dump', 'xlated', 'id', id]);
      const { stdout: header } = await execa('bpftool', ['prog', 'show', 'id', id]);
      const lines = stdout.split('\n').filter((line) => /^\s*\d+: \(/.test(line));
      return {
        name: header.split('\n')[0] ?? id,
        instructions: Math.max(...lines.map((line) => Number.parseInt(line, 10))) + 1,
        // A map's own function stands where the program called that of any map.
        helpers: [...stdout.matchAll(/\bcall _*(?:bpf_|htab_|percpu_|array_)*(\w+?)(?:_tp)?#/g)].map(
          ([, helper = '']) => helper,
        ),
        hasLoop: hasLoop(lines),
      };
    }),
  );
};

/** Whether a jump leads back to where it came from, as the verifier finds out: a walk that meets its own path. */
const hasLoop = (lines: readonly string[]): boolean => {
  const codeByIndex = new Map(lines.map((line) => [Number.parseInt(line, 10), line]));
  const indexes = [...codeByIndex.keys()];
  const nextOf = new Map(indexes.map((index, position) => [index, indexes[position + 1]]));
  const successorsOf = (index: number): readonly (number | undefined)[] => {
    const line = codeByIndex.get(index) ?? '';
    const jump = /goto pc([+-]\d+)/.exec(line)?.[1];
    const target = jump === undefined ? undefined : index + 1 + Number(jump);
    if (line.endsWith(') exit')) return [];
    return line.includes(') goto') ? [target] : [nextOf.get(index), target];
  };
  const done = new Set<number>();
  const path = new Set<number>();
  const meetsItself = (index: number | undefined): boolean => {
    if (index === undefined || done.has(index)) return false;
    if (path.has(index)) return true;
    path.add(index);
    const found = successorsOf(index).some(meetsItself);
    path.delete(index);
    done.add(index);
    return found;
  };
  return meetsItself(0);
};
