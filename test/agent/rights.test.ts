// Who may do what: the process that listens has no rights, and what measures has no network socket.
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { plumbline, startAgent, valueOf, withCapabilities, type RunningAgent } from '../support/agent.ts';
import { describeKernel } from '../support/kernel.ts';
import { bpftracesOf, listenerOf, untilGone } from '../support/processes.ts';

describeKernel('rights', () => {
  test('the process that listens is nobody, without a capability; what measures has no network socket', async () => {
    await withAgent('', async (agent) => {
      const { listener, bpftrace } = await processesOf(agent);
      for (const thread of await readdir(`/proc/${listener}/task`)) {
        const status = await statusOf(`${listener}/task/${thread}`);
        expect(status('Uid')).toBe('65532\t65532\t65532\t65532');
        expect(status('Gid')).toBe('65532\t65532\t65532\t65532');
        expect(status('Groups')).toBe('');
        for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
          expect(status(set)).toBe('0000000000000000');
      }
      expect(await networkSockets(listener)).not.toEqual([]);
      expect((await filesOf(listener)).filter((file) => file.includes('bpf'))).toEqual([]);
      for (const pid of [agent.pid, bpftrace]) {
        expect((await statusOf(String(pid)))('Uid')).toBe('0\t0\t0\t0');
        expect(await networkSockets(pid)).toEqual([]);
      }
      expect(await filesOf(bpftrace)).toContain('anon_inode:bpf-map');
    });
  });

  test('what measures needs four capabilities, and with these bpftrace runs', async () => {
    const few = ['bpf', 'perfmon', 'setuid', 'setgid'];
    await withAgent(
      '',
      async (agent) => {
        const { bpftrace } = await processesOf(agent);
        const capabilities = (1n << 39n) | (1n << 38n) | (1n << 7n) | (1n << 6n);
        expect(BigInt(`0x${(await statusOf(String(bpftrace)))('CapEff')}`)).toBe(capabilities);
        expect(valueOf(await agent.metrics(), 'plumbline_probe_up')).toBe(1);
      },
      { under: withCapabilities(few) },
    );
  });

  test('the listener is killed: the agent ends with status 1 and says so, and bpftrace with it', async () => {
    const agent = await startAgent('');
    const { listener, bpftrace } = await processesOf(agent);
    process.kill(listener, 'SIGKILL');
    await untilGone([agent.pid, bpftrace]);
    const { exitCode, stderr } = await agent.stop();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('the process that listens was ended by SIGKILL');
  });

  test('what measures is killed: the listener ends, and bpftrace with it', async () => {
    const agent = await startAgent('');
    const { listener, bpftrace } = await processesOf(agent);
    await agent.stop('SIGKILL');
    await untilGone([listener, bpftrace]);
  });

  test('a signal to all three of them, as systemd sends it, ends them in order', async () => {
    const agent = await startAgent('');
    const { listener, bpftrace } = await processesOf(agent);
    process.kill(listener, 'SIGTERM');
    process.kill(bpftrace, 'SIGTERM');
    const { exitCode } = await agent.stop();
    expect(exitCode).toBe(0);
    await untilGone([listener, bpftrace]);
  });

  test('a listener that stands still loses nothing that was counted, and bpftrace goes on', async () => {
    await withAgent('', async (agent) => {
      const { listener } = await processesOf(agent);
      process.kill(listener, 'SIGSTOP');
      await sleep(3000);
      process.kill(listener, 'SIGCONT');
      await agent.settle();
      expect((await fetch(`${agent.url}/readyz`)).status).toBe(200);
      expect(valueOf(await agent.metrics(), 'plumbline_probe_restarts_total')).toBe(0);
    });
  });

  test('user: 0 listens as root, and the check warns of it', async () => {
    await withAgent('user: 0', async (agent) => {
      const { listener } = await processesOf(agent);
      expect((await statusOf(String(listener)))('Uid')).toBe('0\t0\t0\t0');
    });
  });

  test('the check names the capability that is missing, and for which probe', async () => {
    const check = async (...capabilities: readonly string[]) => {
      const [command = '', ...args] = withCapabilities(capabilities);
      return (await execa(command, [...args, process.execPath, plumbline, 'check'], { reject: false }))
        .stdout;
    };
    const withoutBpf = await check('perfmon');
    expect(withoutBpf).toMatch(/MISSING +rights +uid 0 without CAP_BPF\n/);
    expect(withoutBpf).toMatch(/warning +probe http +left out; CAP_BPF not there/);
    expect(await check('bpf', 'perfmon')).toMatch(
      /MISSING +user +cannot become uid 65532 without CAP_SETUID and CAP_SETGID\n/,
    );
    expect(await check('bpf', 'perfmon', 'setuid', 'setgid')).not.toMatch(/MISSING/);
  });

  test('listen by itself says who starts it', async () => {
    const { stderr, exitCode } = await execa(process.execPath, [plumbline, 'listen'], { reject: false });
    expect(stderr).toBe('plumbline: "plumbline agent" starts this');
    expect(exitCode).toBe(1);
  });
});

const withAgent = async (
  yaml: string,
  use: (agent: RunningAgent) => Promise<void>,
  options?: Parameters<typeof startAgent>[1],
) => {
  const agent = await startAgent(yaml, options);
  try {
    await use(agent);
  } finally {
    expect((await agent.stop()).exitCode).toBe(0);
  }
};

const processesOf = async ({ pid }: RunningAgent) => {
  const [bpftrace = NaN] = await bpftracesOf(pid);
  return { listener: await listenerOf(pid), bpftrace };
};

/** Reads the fields of /proc/PID/status, or of a thread's. */
const statusOf = async (process: string) => {
  const text = await readFile(`/proc/${process}/status`, 'utf8');
  return (field: string) => new RegExp(`^${field}:[\\t ]*(.*?)[\\t ]*$`, 'm').exec(text)?.[1];
};

const filesOf = async (pid: number): Promise<readonly string[]> =>
  Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
  );

/** Of a process, its sockets that lead to a network, by the kernel's own tables. */
const networkSockets = async (pid: number): Promise<readonly string[]> => {
  const tables = await Promise.all(
    ['tcp', 'tcp6', 'udp', 'udp6', 'udplite', 'icmp', 'raw', 'raw6', 'packet', 'netlink'].map((name) =>
      readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => ''),
    ),
  );
  const inodes = new Set(tables.join('\n').split(/\s+/));
  return (await filesOf(pid)).filter((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? 'none'));
};
