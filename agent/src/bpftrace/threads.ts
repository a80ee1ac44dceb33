// In: how many threads the node has. Out: whether the kernel maps that have an entry for each of them hold them all.
import { readText } from '../files/read.ts';
import { fullPart } from './fill.ts';
import type { Finding } from './preflight.ts';

/** Threads of the whole node, also where it is asked from a container (proc(5)); undefined if nobody tells. */
export const readThreads = (read: (file: string) => string | undefined = readText): number | undefined => {
  const threads = /^(?:[\d.]+ ){3}\d+\/(\d+) /.exec(read('/proc/loadavg') ?? '')?.[1];
  return threads === undefined ? undefined : Number(threads);
};

/** Maps by thread are printed by nobody, so that how full they are can be seen from the threads alone. */
export const checkThreads = (maxMapKeys: number, threads = readThreads()): Finding => {
  const name = 'threads';
  if (threads === undefined) return { name, status: 'ok', found: 'not known' };
  const found = `${threads} on this node, ${maxMapKeys} entries in a kernel map`;
  if (threads < fullPart * maxMapKeys) return { name, status: 'ok', found };
  const enough = 2 ** Math.ceil(Math.log2(threads / fullPart));
  return {
    name,
    status: 'warning',
    found: `${found}: requests of threads beyond that are not counted`,
    remedy: `set "bpftrace.maxMapKeys" to ${enough} or more`,
  };
};
