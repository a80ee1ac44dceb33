// In: something to measure. Out: its result, had while the kernel books the run time of BPF programs.
import { execa } from 'execa';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

const statsSwitch = '/proc/sys/kernel/bpf_stats_enabled';

/**
 * The switch is the whole machine's, and while it is on each program takes some 50 ns longer: whoever turns it on turns
 * it off, and what somebody else turned on stays. A shell holds it: when its input ends, because we are done or because
 * we were killed, it turns the switch back.
 */
const holder = `trap '' HUP INT TERM
read -r before < "$1"
[ "$before" = 1 ] && echo on
[ "$before" = 0 ] && echo 1 > "$1" && echo on && read -r _
[ "$before" = 0 ] && echo 0 > "$1"`;

/** Runs `use` while the kernel books; undefined when it does not, for lack of rights or because somebody turned it off. */
export const withBpfStats = async <Result>(
  use: () => Promise<Result>,
  file = statsSwitch,
): Promise<Result | undefined> => {
  // Detached: a signal to the agent's group is not for it.
  const child = execa('sh', ['-c', holder, 'sh', file], {
    stdin: 'pipe',
    stderr: 'ignore',
    reject: false,
    buffer: false,
    detached: true,
    cleanup: false,
  });
  child.stdin.on('error', () => undefined); // It may have ended first.
  try {
    const ended = child.then(() => undefined);
    const isOn = await Promise.race([once(child.stdout, 'data'), ended]);
    if (isOn === undefined) return undefined;
    const result = await use();
    return (await readFile(file, 'utf8')).trim() === '1' ? result : undefined;
  } finally {
    child.stdin.end();
    await child;
  }
};
