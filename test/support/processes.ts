// In: the agent's process. Out: the processes that it has started.
import { execa } from 'execa';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../../demo/cgroup.ts';

/** In the order of their ids; two while one takes over from the other, none where bpftrace has ended. */
export const bpftracesOf = (agentPid: number): Promise<readonly number[]> => childrenOf(agentPid, 'bpftrace');

/** The process that listens; NaN if there is none. */
export const listenerOf = async (agentPid: number): Promise<number> =>
  (await childrenOf(agentPid, 'plumbline\\.js listen'))[0] ?? NaN;

/** Waits until these have ended; throws when one has not after half a minute: bpftrace sees no signal while it compiles. */
export const untilGone = async (pids: readonly number[]): Promise<void> => {
  const deadlineMs = Date.now() + 30_000;
  while (pids.some(isRunning)) {
    if (Date.now() > deadlineMs) throw new Error(`Still running: ${pids.filter(isRunning).join(', ')}`);
    await sleep(100);
  }
};

/** Children whose command line has what the pattern says. */
const childrenOf = async (pid: number, pattern: string): Promise<readonly number[]> => {
  const { stdout } = await execa('pgrep', ['--parent', String(pid), '--full', pattern], { reject: false });
  return stdout.split('\n').filter(Boolean).map(Number);
};
