// bpf/runqueue.bt: two that want the same CPU, against the kernel's own books of one of them (/proc/PID/schedstat).
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Check } from '../check.ts';

const burn = ['taskset', '-c', '0', 'sh', '-c', 'echo runs; while :; do :; done'];
const burnMs = 1000;

export const check: Check = async ({ agent, start, expect }) => {
  const culprit = await start(burn, 'culprit');
  await culprit.firstLine();
  const victim = await start(burn, 'victim');
  await victim.firstLine();
  const before = await booksOf(victim.pid);
  const ranBefore = (await booksOf(culprit.pid)).ran;
  await sleep(burnMs);
  process.kill(victim.pid, 'SIGSTOP');
  const ranBeside = (await booksOf(culprit.pid)).ran - ranBefore;
  await culprit.stop();
  await agent.settle();
  const series = await agent.series();
  const booked = (await booksOf(victim.pid)).waited;
  const measured = (series.histograms.plumbline_runqueue_wait_seconds ?? [])
    .filter(({ labels }) => labels.app === 'victim')
    .reduce((total, { sumSeconds }) => total + sumSeconds, 0);
  // What it waited before it was moved to its cgroup is in the kernel's books alone.
  const isSame = measured > booked - before.waited - 0.001 && measured < booked + 0.001;
  const both = `${measured} s, of ${booked} s in the kernel's books, ${before.waited} s of these before it ran`;
  expect('a thread waits as long as the kernel says', isSame, both);
  const blamed = (series.counters.plumbline_cpu_blame_seconds_total ?? [])
    .filter(({ labels }) => labels.app === 'victim' && labels.culprit_app === 'culprit')
    .reduce((total, { value }) => total + value, 0);
  // It waited whenever the other one ran. On a busy machine others ran in between, and four are remembered.
  const isAll = blamed > ranBeside / 2 && blamed < 1.1 * ranBeside + 0.1;
  expect('the one that ran meanwhile is to blame', ranBeside > 0.1 && isAll, `${blamed} s of ${ranBeside} s`);
  await victim.stop();
};

/** Seconds for which its main thread ran, and waited for a CPU. */
const booksOf = async (pid: number): Promise<{ readonly ran: number; readonly waited: number }> => {
  const [ranNs = NaN, waitedNs = NaN] = (await readFile(`/proc/${pid}/schedstat`, 'utf8'))
    .split(' ')
    .map(Number);
  return { ran: ranNs / 1e9, waited: waitedNs / 1e9 };
};
