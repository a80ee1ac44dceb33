// In: a command. Out: a process in a cgroup of its own, on one core, that is ended by its id.
import { execa } from 'execa';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { CgroupTree } from './cgroup.ts';

export interface Child {
  readonly pid: number;
  /** Resolves with its first line on stdout. @throws Error with its stderr if it ends before */
  readonly firstLine: () => Promise<string>;
  /** Resolves when it is gone. */
  readonly stop: () => Promise<void>;
}

export interface Placement {
  readonly tree: CgroupTree;
  readonly cgroup: string;
  /** Core to run on; any, if undefined. */
  readonly cpu?: number | undefined;
}

/** Starts a command in its cgroup, before it runs: a shell moves itself there and becomes the command. */
export const startChild = async (
  [command = '', ...args]: readonly string[],
  { tree, cgroup, cpu }: Placement,
): Promise<Child> => {
  const pinned = cpu === undefined ? [command, ...args] : ['taskset', '-c', String(cpu), command, ...args];
  // The shell waits for a line, so that the process is where it belongs before it opens its sockets.
  const child = execa('sh', ['-c', 'read -r _ && exec "$@"', 'sh', ...pinned], {
    stdin: 'pipe',
    reject: false,
    forceKillAfterDelay: 2000,
    buffer: { stdout: false },
  });
  if (child.pid === undefined) throw new Error(`${command} did not start`);
  await tree.place(cgroup, child.pid);
  child.stdin.end('go\n');
  const firstLine = firstLineOf(child.stdout, async () => `${command} ended: ${(await child).stderr}`);
  firstLine.catch(() => undefined); // Not everyone waits for it.
  return {
    pid: child.pid,
    firstLine: () => firstLine,
    stop: async () => {
      child.kill();
      await child;
    },
  };
};

/**
 * Keeps a core from falling asleep: a process that runs when nobody else would. A virtual CPU that sleeps takes its
 * hypervisor up to milliseconds to wake, which no scheduler counts, and which look like the server's to those who wait.
 * Start it after bpftrace: beside it, on a core that others kept busy all the time, that was once seen to load for minutes.
 */
export const keepAwake = (placement: Placement): Promise<Child> =>
  startChild(['chrt', '--idle', '0', process.execPath, '-e', 'for (;;);'], placement);

const firstLineOf = (stdout: Readable, describeEnd: () => Promise<string>): Promise<string> =>
  new Promise((resolve, reject) => {
    const lines = createInterface(stdout);
    lines.once('line', resolve);
    lines.once('close', () => {
      void describeEnd().then((reason) => {
        reject(new Error(reason));
      });
    });
  });
