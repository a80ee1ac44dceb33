// In: the folder bpf/. Out: every probe in it, with its text; and programs made of them.
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { clockFragment, type JiffyClock } from './bpftrace/clock.ts';
import { compose, expandIncludes } from './bpftrace/compose.ts';
import type { MapKinds } from './bpftrace/handover.ts';
import { isAtLeast } from './bpftrace/kernel.ts';
import { defaultPeerPorts, peerPortsFragment } from './peer-ports.ts';
import { bpfFolder, probeNames } from './probe-names.ts';
import type { Probe } from './probes/probe.ts';

/** A probe and its text: bpf/NAME.bt, and bpf/reduced/NAME.bt where there is one. */
export interface LoadedProbe extends Probe {
  readonly source: string;
  readonly reduced: string | undefined;
}

const moduleExtension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** Finds every bpf/NAME.bt with its probes/NAME module: a new probe is these two files and no list. */
export const loadProbes = (): Promise<readonly LoadedProbe[]> =>
  Promise.all(
    probeNames.map(async (name) => {
      const file = new URL(`./probes/${name}.${moduleExtension}`, import.meta.url);
      const { probe } = (await import(file.href)) as { probe: Probe };
      const reduced = `reduced/${name}.bt`;
      return {
        ...probe,
        source: readBpf(`${name}.bt`),
        reduced: existsSync(new URL(reduced, bpfFolder)) ? readBpf(reduced) : undefined,
      };
    }),
  );

/**
 * Those of the probes that a configuration asks for.
 *
 * @param wanted names; without, all but those that only run where they are named
 */
export const chooseProbes = (
  probes: readonly LoadedProbe[],
  wanted: readonly string[] | undefined,
): readonly LoadedProbe[] => probes.filter(({ name, isOptIn = false }) => wanted?.includes(name) ?? !isOptIn);

/** The bpftrace program of these probes on this node, printing a snapshot every `intervalMs`. */
export const composeProbes = (
  probes: readonly Pick<LoadedProbe, 'source'>[],
  intervalMs: number,
  clock: JiffyClock | undefined,
  peerPorts: readonly number[] = defaultPeerPorts,
): string =>
  compose(
    probes.map(({ source }) => source),
    (path) => nodeFragment(path, clock, peerPorts) ?? readBpf(path),
    intervalMs,
  );

/** Names of the probes that may be switched off, in the order in which they are. */
export const sheddingOrder = (probes: readonly Probe[]): readonly string[] =>
  probes
    .filter(({ dispensable }) => dispensable !== undefined)
    .toSorted((a, b) => (b.dispensable ?? 0) - (a.dispensable ?? 0))
    .map(({ name }) => name);

/** By probe, in ns: what it is thought to take at a switch of threads. */
export const switchCosts = (probes: readonly Probe[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    probes.flatMap(({ name, switchNs }) => (switchNs === undefined ? [] : [[name, switchNs]])),
  );

/** Their metrics: those of maps that several of them fill count once. */
export const metricsOf = (probes: readonly Probe[]): Probe['metrics'] => [
  ...new Set(probes.flatMap(({ metrics }) => metrics)),
];

/** What their maps are, of which each holds `capacity` entries at most. */
export const mapKindsOf = (probes: readonly Probe[], capacity: number): MapKinds => {
  const metrics = metricsOf(probes);
  return {
    capacity,
    levels: metrics.flatMap((metric) =>
      metric.kind === 'gauge' ? [{ map: metric.map, unmatched: metric.unmatched }] : [],
    ),
    histograms: metrics.flatMap((metric) => (metric.kind === 'histogram' ? [metric.buckets] : [])),
  };
};

/** The text of a probe for this node. */
export const textOf = (
  { source }: Pick<LoadedProbe, 'source'>,
  clock: JiffyClock | undefined,
  peerPorts: readonly number[] = defaultPeerPorts,
): string => expandIncludes(source, (path) => nodeFragment(path, clock, peerPorts) ?? readBpf(path));

/** What differs from node to node: its clock, the ports told apart, and where its kernel keeps the cgroup of a socket. */
const nodeFragment = (
  path: string,
  clock: JiffyClock | undefined,
  peerPorts: readonly number[],
): string | undefined => {
  if (path === 'node/clock.bt') return clockFragment(clock);
  if (path === 'node/peer_ports.bt') return peerPortsFragment(peerPorts);
  if (path !== 'node/tcp_owner.bt') return undefined;
  return readBpf(`fragments/tcp_owner${isAtLeast(release(), [5, 15]) ? '' : '_before_5_15'}.bt`);
};

const readBpf = (path: string): string => readFileSync(new URL(path, bpfFolder), 'utf8');

/** The types that a program may use where the kernel does not tell its own. */
export const ownTypes = readBpf('include/linux/types.h');
