// In: a kernel, an initramfs and a scenario. Out: what the guest reported, or why it did not.
import { execa } from 'execa';
import { readFileSync } from 'node:fs';
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
  /** Called with what the guest says, and the CPU time that the emulator has taken so far. */
  readonly onMessage: (message: Message, cpuSeconds: number) => void;
}

export interface GuestReport {
  readonly messages: readonly Message[];
  /** What the emulator took up to the last message: a busy machine makes a guest no dearer. */
  readonly cpuSeconds: number;
}

/**
 * Boots, and resolves when the guest is gone.
 *
 * @throws Error saying what failed, with the last lines of the kernel's console
 */
export const runGuest = async (options: GuestOptions): Promise<GuestReport> => {
  const { archives, logFolder, timeoutSeconds, signal, onMessage } = options;
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-guest-'));
  try {
    const initrd = join(folder, 'initrd');
    await execa('sh', ['-c', 'target=$1; shift; cat "$@" > "$target"', 'sh', initrd, ...archives]);
    await mkdir(logFolder, { recursive: true });
    const [command = '', ...args] = commandOf(options, initrd);
    const guest = execa(command, args, { reject: false, cancelSignal: signal, forceKillAfterDelay: 2000 });
    let cpuSeconds = 0;
    createInterface(guest.stdout).on('line', (line) => {
      cpuSeconds = cpuSecondsOf(guest.pid) ?? cpuSeconds;
      for (const message of parseReport(line)) onMessage(message, cpuSeconds);
    });
    const { exitCode, stdout, stderr, isCanceled } = await guest;
    if (isCanceled) throw new Error('stopped');
    const messages = parseReport(stdout);
    if (messages.some(({ kind }) => kind === 'end')) return { messages, cpuSeconds };
    const console = await readFile(join(logFolder, 'console'), 'utf8').catch(() => '');
    const reason = whatFailed(messages, exitCode, timeoutSeconds);
    throw new Error([reason, `see ${logFolder}`, stderr, ...console.trim().split('\n').slice(-8)].join('\n'));
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** CPU time of the emulator, which is the child of `timeout`; undefined once it is gone. */
const cpuSecondsOf = (timeoutPid: number | undefined): number | undefined => {
  try {
    const child = readFileSync(`/proc/${timeoutPid}/task/${timeoutPid}/children`, 'utf8').trim();
    const [, fields = ''] = readFileSync(`/proc/${child}/stat`, 'utf8').split(') ');
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return ((user ?? NaN) + (system ?? NaN)) / 100;
  } catch {
    return undefined;
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

/** The tests of its cryptography are half of the time that the kernel takes to boot here. */
const quickly = 'quiet mitigations=off no_timer_check nokaslr init_on_alloc=0 cryptomgr.notests';

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
  ...['-append', `console=ttyS0 panic=-1 ${quickly} SCENARIO=${scenario}`],
  ...['-serial', `file:${join(logFolder, 'console')}`, '-serial', 'chardev:report'],
  ...['-chardev', `stdio,id=report,signal=off,logfile=${join(logFolder, 'report')}`],
];
