// In: the path of a cgroup. Out: what the kernel's files say about it, v2's or, where v2 lacks a controller, v1's.
import { closeSync, openSync, readSync } from 'node:fs';
import { parsePressure, singleValue, valueOfKey } from './parse.ts';

/** Where the files of each cgroup are, by its path. */
export interface CgroupRoots {
  readonly v2: string;
  /** Mount points of the v1 controllers that v2 does not have (hybrid hosts). */
  readonly v1: Readonly<Record<'cpu' | 'memory', string | undefined>>;
}

/** Undefined is what the kernel does not keep here, or the cgroup being gone. */
export interface CgroupReading {
  readonly cpuUs: number | undefined;
  readonly throttledUs: number | undefined;
  readonly memoryBytes: number | undefined;
  /** Of CPU, memory and I/O. */
  readonly pressures: readonly ReturnType<typeof parsePressure>[];
}

/** @param mountsText of /proc/self/mountinfo */
export const findCgroupRoots = (v2: string, mountsText: string): CgroupRoots => {
  const v1Root = (controller: string): string | undefined =>
    mountsText
      .split('\n')
      .map((line) => line.split(' - '))
      .find(([, right = '']) => {
        const [type, , options = ''] = right.split(' ');
        return type === 'cgroup' && options.split(',').includes(controller);
      })?.[0]
      ?.split(' ')[4];
  return { v2, v1: { cpu: v1Root('cpu'), memory: v1Root('memory') } };
};

/** Some 50 us, and never a wait: cgroupfs is memory. Never throws. */
export const readCgroup = ({ v2, v1 }: CgroupRoots, path: string): CgroupReading => {
  const folder = v2 + path;
  const stat = readText(`${folder}/cpu.stat`) ?? '';
  const v1Stat = v1.cpu === undefined ? '' : (readText(`${v1.cpu}${path}/cpu.stat`) ?? '');
  const v1ThrottledNs = valueOfKey(v1Stat, 'throttled_time');
  const memoryFile =
    v1.memory === undefined ? `${folder}/memory.current` : `${v1.memory}${path}/memory.usage_in_bytes`;
  return {
    cpuUs: valueOfKey(stat, 'usage_usec'),
    throttledUs: v1ThrottledNs === undefined ? valueOfKey(stat, 'throttled_usec') : v1ThrottledNs / 1000,
    memoryBytes: singleValue(readText(memoryFile) ?? ''),
    pressures: ['cpu', 'memory', 'io'].map((resource) =>
      parsePressure(readText(`${folder}/${resource}.pressure`) ?? ''),
    ),
  };
};

// The files of interest are short; reading them so takes a third of readFileSync's time.
const shortBuffer = Buffer.alloc(4096);

/** The first 4 KiB of a file, or as many bytes as asked for; undefined if it cannot be read. */
export const readText = (file: string, bytes = shortBuffer.length): string | undefined => {
  const buffer = bytes > shortBuffer.length ? Buffer.allocUnsafe(bytes) : shortBuffer;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
};
