// In: a kernel, an initramfs and a scenario. Out: what the guest reported, or why it did not.
import { execa } from 'execa';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { commandFor } from './image.ts';
import { parseReport, type Message } from './report.ts';

export interface GuestOptions {
  /** Folder of the unpacked qemu. */
  readonly emulator: string;
  readonly kernel: string;
  /** Archives that make up the initramfs together. */
  readonly archives: readonly string[];
  readonly scenario: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  /** Where the kernel's console and the report are kept, to be read when a guest fails. */
  readonly logFolder: string;
  readonly onMessage: (message: Message) => void;
}

/**
 * Boots, and resolves when the guest is gone.
 *
 * @throws Error saying what failed, with the last lines of the kernel's console
 */
export const runGuest = async (options: GuestOptions): Promise<readonly Message[]> => {
  const { archives, logFolder, timeoutSeconds, signal, onMessage } = options;
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-guest-'));
  try {
    const initrd = join(folder, 'initrd');
    await execa('sh', ['-c', 'target=$1; shift; cat "$@" > "$target"', 'sh', initrd, ...archives]);
    await mkdir(logFolder, { recursive: true });
    const [command = '', ...args] = commandOf(options, initrd);
    const guest = execa(command, args, { reject: false, cancelSignal: signal, forceKillAfterDelay: 2000 });
    createInterface(guest.stdout).on('line', (line) => {
      parseReport(line).forEach(onMessage);
    });
    const { exitCode, stdout, stderr, isCanceled } = await guest;
    if (isCanceled) throw new Error('stopped');
    const messages = parseReport(stdout);
    if (messages.some(({ kind }) => kind === 'end')) return messages;
    const console = await readFile(join(logFolder, 'console'), 'utf8').catch(() => '');
    const reason = whatFailed(messages, exitCode, timeoutSeconds);
    throw new Error([reason, `see ${logFolder}`, stderr, ...console.trim().split('\n').slice(-8)].join('\n'));
  } finally {
    await rm(folder, { recursive: true });
  }
};

const whatFailed = (
  messages: readonly Message[],
  exitCode: number | undefined,
  timeoutSeconds: number,
): string => {
  const last = messages.findLast((message) => message.kind === 'step');
  const how =
    exitCode === 124
      ? `it took longer than ${timeoutSeconds} s`
      : `the emulator ended with ${exitCode ?? 'a signal'}`;
  return last === undefined
    ? `the kernel did not boot to its tests: ${how}`
    : `the guest did not finish its tests: ${how}, when it ${last.doing}`;
};

/**
 * `timeout` ends the emulator even where we are killed and cannot. No KVM: a guest runs wherever the tests do. One CPU:
 * an emulated second one costs a fifth more time, and nothing here needs it. The guest's clock counts its instructions,
 * 2 ns each, and jumps ahead when it has nothing to do: a busy host is no slow guest, and waiting costs no time.
 */
const commandOf = (
  { emulator, kernel, scenario, timeoutSeconds, logFolder }: GuestOptions,
  initrd: string,
): readonly string[] => [
  ...['timeout', '--kill-after=5', String(timeoutSeconds)],
  ...commandFor(emulator, join(emulator, 'usr/bin/qemu-system-x86_64')),
  ...['-L', join(emulator, 'usr/share/seabios'), '-L', join(emulator, 'usr/share/qemu')],
  ...['-accel', 'tcg', '-icount', 'shift=1,sleep=off', '-cpu', 'Nehalem', '-smp', '1', '-m', '2048'],
  ...['-nodefaults', '-display', 'none', '-no-reboot'],
  ...['-kernel', kernel, '-initrd', initrd],
  ...['-append', `console=ttyS0 panic=-1 quiet mitigations=off no_timer_check SCENARIO=${scenario}`],
  ...['-serial', `file:${join(logFolder, 'console')}`, '-serial', 'chardev:report'],
  ...['-chardev', `stdio,id=report,signal=off,logfile=${join(logFolder, 'report')}`],
];
