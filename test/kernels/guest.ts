// In: a kernel, an initramfs and a scenario. Out: what the guest reported, or why it did not.
import { execa } from 'execa';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
}

/**
 * Boots, and resolves when the guest is gone.
 *
 * @throws Error saying what failed, with the last lines of the kernel's console
 */
export const runGuest = async (options: GuestOptions): Promise<readonly Message[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-guest-'));
  const file = (name: string) => join(folder, name);
  try {
    const concatenate = ['-c', 'target=$1; shift; cat "$@" > "$target"', 'sh', file('initrd')];
    await execa('sh', [...concatenate, ...options.archives]);
    const [command = '', ...args] = commandOf(options, file);
    const { exitCode, stderr, isCanceled } = await execa(command, args, {
      reject: false,
      cancelSignal: options.signal,
      forceKillAfterDelay: 2000,
    });
    if (isCanceled) throw new Error('stopped');
    const messages = parseReport(await readText(file('report')));
    if (messages.some(({ kind }) => kind === 'end')) return messages;
    const lines = (await readText(file('console'))).trim().split('\n').slice(-8);
    throw new Error([whatFailed(messages, exitCode, options.timeoutSeconds), stderr, ...lines].join('\n'));
  } finally {
    await rm(folder, { recursive: true });
  }
};

const whatFailed = (
  messages: readonly Message[],
  exitCode: number | undefined,
  timeoutSeconds: number,
): string => {
  const last = messages.at(-1);
  const how =
    exitCode === 124
      ? `it took longer than ${timeoutSeconds} s`
      : `the emulator ended with ${exitCode ?? 'a signal'}`;
  return last === undefined
    ? `the kernel did not boot to its tests: ${how}`
    : `the guest did not finish its tests: ${how}; its last message: ${JSON.stringify(last)}`;
};

/** `timeout` ends the emulator even where we are killed and cannot. No KVM: a guest runs wherever the tests do. */
const commandOf = (
  { emulator, kernel, scenario, timeoutSeconds }: GuestOptions,
  file: (name: string) => string,
): readonly string[] => [
  ...['timeout', '--kill-after=5', String(timeoutSeconds)],
  ...commandFor(emulator, join(emulator, 'usr/bin/qemu-system-x86_64')),
  ...['-L', join(emulator, 'usr/share/seabios'), '-L', join(emulator, 'usr/share/qemu')],
  ...['-accel', 'tcg,thread=multi', '-cpu', 'Nehalem', '-smp', '2', '-m', '2048'],
  ...['-nodefaults', '-display', 'none', '-no-reboot'],
  ...['-kernel', kernel, '-initrd', file('initrd')],
  ...['-append', `console=ttyS0 panic=-1 quiet mitigations=off SCENARIO=${scenario}`],
  ...['-serial', `file:${file('console')}`, '-serial', `file:${file('report')}`],
];

const readText = async (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
