// In: a program. Out: one bpftrace process that runs it, line by line, until it ends or is aborted.
import { execa } from 'execa';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sliceBtf } from './btf.ts';

export interface ChildOptions {
  /** Path or name of the bpftrace binary. */
  readonly path: string;
  /** Most entries that any map may hold. */
  readonly maxMapKeys: number;
  /** The file of the kernel's types. */
  readonly btfFile: string | undefined;
}

export interface Child {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Resolves when the process is gone. */
  readonly ended: Promise<ChildEnd>;
}

/** How a bpftrace process ended; `errors` are the lines of its stderr that matter. */
export interface ChildEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly errors: readonly string[];
}

/** What bpftrace is to take for the types of tracepoints where the kernel does not tell. */
const ownTypes = [
  ...['-I', fileURLToPath(new URL('../../../bpf/include', import.meta.url))],
  ...['--include', 'linux/types.h'],
];

/**
 * Runs bpftrace until it ends by itself or `signal` aborts. It needs no guard against outliving us: its next print
 * into the closed pipe ends it.
 *
 * @param onLine called for each line of its JSON output
 */
export const startBpftrace = (
  program: string,
  { path, maxMapKeys, btfFile }: ChildOptions,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Child => {
  const types = btfFile === undefined ? undefined : openTypes(btfFile, program);
  const child = execa(path, ['-f', 'json', ...(btfFile === undefined ? ownTypes : []), '-'], {
    input: program,
    stdio: ['pipe', 'pipe', 'pipe', ...(types === undefined ? [] : [types])] as const,
    buffer: false,
    reject: false,
    cancelSignal: signal,
    // A Ctrl-C in a terminal is for the agent, which then ends bpftrace in order.
    detached: true,
    forceKillAfterDelay: 3000,
    env: {
      // The name before bpftrace 0.19, and the one since.
      BPFTRACE_MAP_KEYS_MAX: String(maxMapKeys),
      BPFTRACE_MAX_MAP_KEYS: String(maxMapKeys),
      // Left to itself, bpftrace 0.17 does not find it on Linux 5.10.
      ...(btfFile !== undefined && { BPFTRACE_BTF: types === undefined ? btfFile : '/proc/self/fd/3' }),
    },
  });
  if (types !== undefined) closeSync(types);
  const errors: string[] = [];
  const readErrors = async () => {
    for await (const line of child.iterable({ from: 'stderr' })) {
      // Newer versions print hundreds of warnings; and a missing CAP_SYS_RESOURCE is harmless since Linux 5.11.
      if (/ERROR|FATAL/.test(line) && !line.includes('RLIMIT_MEMLOCK') && errors.length < 20)
        errors.push(line);
    }
  };
  const readLines = async () => {
    for await (const line of child.iterable({ from: 'stdout' })) onLine(line);
  };
  const untilEnd = async (): Promise<ChildEnd> => {
    // A stream that breaks because the process was killed is no news: how it ended says the process itself.
    await Promise.allSettled([readErrors(), readLines()]);
    const result = await child;
    const didNotStart = result.failed && result.exitCode === undefined && result.signal === undefined;
    if (didNotStart && !signal.aborted) errors.push(result.shortMessage ?? `${path} did not start`);
    return { exitCode: result.exitCode, signal: result.signal, errors };
  };
  return { pid: child.pid, ended: untilEnd() };
};

/** execa takes any number, and its types know these. */
type AnyDescriptor = 3 | 4 | 5 | 6 | 7 | 8 | 9;

/**
 * Opens a file without a name that has the types of the program alone, which takes half of the time off its compilation;
 * undefined where no file can be written, as in a container that is read-only and has no /dev/shm.
 */
const openTypes = (btfFile: string, program: string): AnyDescriptor | undefined => {
  let types: Buffer;
  try {
    types = sliceBtf(readFileSync(btfFile), program);
  } catch {
    return undefined; // bpftrace does with all types, too.
  }
  for (const folder of ['/dev/shm', tmpdir()]) {
    const file = join(folder, `plumbline-${randomUUID()}`);
    let descriptor: number | undefined;
    try {
      descriptor = openSync(file, 'wx+', 0o600);
      unlinkSync(file);
      writeFileSync(descriptor, types);
      return descriptor as AnyDescriptor;
    } catch {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }
  return undefined;
};
