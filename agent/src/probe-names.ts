// In: the folder bpf/. Out: what its probes are called.
import { readdirSync } from 'node:fs';

export const bpfFolder = new URL('../../bpf/', import.meta.url);

/** Each is bpf/NAME.bt. */
export const probeNames: readonly string[] = readdirSync(bpfFolder)
  .filter((file) => file.endsWith('.bt'))
  .map((file) => file.slice(0, -'.bt'.length))
  .sort();
