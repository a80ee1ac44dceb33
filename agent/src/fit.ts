// In: every probe, and what this node has. Out: what each probe can be here: full, reduced or nothing, and why.
import { release } from 'node:os';
import { kernelTypesOf, tracepointsOf } from './bpftrace/compose.ts';
import { hasFatalUretprobes, isAtLeast } from './bpftrace/kernel.ts';
import { checkProgramRights, checkTracepoints, type Finding, type Preflight } from './bpftrace/preflight.ts';
import { composeProbes, ownTypes, type LoadedProbe } from './probes.ts';

/** A probe as it runs on this node: `source` and `metrics` are those of its mode. */
export interface FittedProbe extends LoadedProbe {
  readonly mode: 'full' | 'reduced' | 'none';
  /** What the full probe lacks here, each with its remedy. */
  readonly lacking: readonly Finding[];
}

/** Each probe in the best of its variants that this node can run. */
export const fitProbes = (
  probes: readonly LoadedProbe[],
  ground: Pick<Preflight, 'btfFile'>,
): readonly FittedProbe[] =>
  probes.map((probe) => {
    const lacking = [...checkLeastKernel(probe), ...lackingFor(probe.source, ground)];
    if (lacking.length === 0) return { ...probe, mode: 'full', lacking };
    const { reduced } = probe;
    if (reduced === undefined || lackingFor(reduced, ground).length > 0)
      return { ...probe, metrics: [], mode: 'none', lacking };
    return { ...probe, source: reduced, metrics: reducedMetrics(probe), mode: 'reduced', lacking };
  });

/** Those of its metrics whose maps its reduced variant prints; none if there is no such variant. */
export const reducedMetrics = ({ metrics, reduced }: LoadedProbe): LoadedProbe['metrics'] => {
  if (reduced === undefined) return [];
  const printed = printedBy(composeProbes([{ source: reduced }], 1000, undefined));
  return metrics.filter((metric) => mapsOf(metric).some((map) => printed.has(map)));
};

/** The maps without all of which a metric is none: of a histogram, those of its sum, since without delays its counts are whole. */
const mapsOf = (metric: LoadedProbe['metrics'][number]): readonly string[] =>
  metric.kind === 'histogram' ? metric.sumsNs : [metric.map];

const printedBy = (program: string): ReadonlySet<string> =>
  new Set([...program.matchAll(/\bprint\((@\w+)\)/g)].map(([, map = '']) => map));

const checkLeastKernel = ({ leastKernel }: LoadedProbe): readonly Finding[] => {
  if (leastKernel === undefined || isAtLeast(release(), leastKernel)) return [];
  const remedy = `Linux ${leastKernel.join('.')} or newer, which is known to take this probe`;
  return [{ name: 'kernel', status: 'missing', found: `Linux ${release()}`, remedy }];
};

/** None is better than one that costs a container its life. */
const checkUretprobes = (source: string): readonly Finding[] => {
  if (!/^uretprobe:/m.test(source) || !hasFatalUretprobes(release(), process.arch)) return [];
  const found = `Linux ${release()} kills processes in containers when they are traced so (CVE-2025-21834)`;
  return [{ name: 'kernel', status: 'missing', found, remedy: 'Linux 6.12.14, 6.13.3, 6.14 or newer' }];
};

const lackingFor = (source: string, { btfFile }: Pick<Preflight, 'btfFile'>): readonly Finding[] => {
  const program = composeProbes([{ source }], 1000, undefined);
  const types = btfFile === undefined ? kernelTypesOf(program, ownTypes) : [];
  const unknownTypes: Finding = {
    name: 'types of the kernel',
    status: 'missing',
    found: `${types.join(', ')} not known without BTF`,
    remedy: 'as "plumbline check" says for btf',
  };
  return [
    ...checkUretprobes(source),
    ...checkProgramRights(program),
    ...(types.length > 0 ? [unknownTypes] : []),
    ...checkTracepoints(tracepointsOf(program)).filter(({ status }) => status === 'missing'),
  ];
};
