// In: a scenario. Out: two versions of a service, their load and perhaps a neighbour, each in its cgroup.
import { availableParallelism, setPriority } from 'node:os';
import type { CgroupTree } from './cgroup.ts';
import { keepAwake, startChild, type Child } from './child.ts';

export interface Scenario {
  readonly what: string;
  /** What a request waits for a dependency in v2, beyond what both versions do. */
  readonly waitMs: number;
  /** Whether a neighbour burns the core of v2. */
  readonly isNoisy: boolean;
}

export const scenarios = {
  healthy: {
    what: 'v1 and v2 run the same code, and nothing disturbs them: v2 passes.',
    waitMs: 0,
    isNoisy: false,
  },
  regression: {
    what: 'v2 calls a dependency once more for each request: P99 and NET P99 both rise, and v2 fails.',
    waitMs: 5,
    isNoisy: false,
  },
  'noisy-neighbour': {
    what: 'v1 and v2 run the same code; a neighbour burns the core of v2: P99 rises, NET P99 does not, and v2 is skewed.',
    waitMs: 0,
    isNoisy: true,
  },
} as const satisfies Readonly<Record<string, Scenario>>;

/** What measures and loads the services must be no neighbour itself where there are few cores. */
const nice = { service: -12, own: -8 } as const;
/** Twenty blocks for the p99, as many as a pass wants, in forty seconds. */
const requestsPerSecond = 1000;

/** Work in bursts, as a batch job does: v2 keeps up, so that it waits for the neighbour and not for itself. */
const burstMs = 6;
const neighbour = `const burn = () => {
  for (const end = performance.now() + ${burstMs}; performance.now() < end; );
  setTimeout(burn, ${burstMs});
};
burn();`;
/** In the real-time class, which goes before all others: else how long v2 waits depends on what else the machine does. */
const asRealTime = ['sh', '-c', 'chrt -f 1 true && exec chrt -f 1 "$@" || exec nice -n -19 "$@"', 'sh'];

const lastCore = availableParallelism() - 1;

/**
 * Beside a neighbour, v2 has a core of its own, so that the neighbour is nobody else's, and the others share the first. Without
 * one all run where the kernel puts them, so that what a hypervisor takes from this machine it takes from both versions.
 */
export async function startWorld(scenario: Scenario, tree: CgroupTree, children: Child[]): Promise<void> {
  setPriority(nice.own);
  const start = async (
    cgroup: string,
    cpu: number | undefined,
    niceness: number,
    ...command: readonly string[]
  ) => {
    const child = await startChild(['nice', '-n', String(niceness), ...command], { tree, cgroup, cpu });
    children.push(child);
    return child;
  };
  const script = (name: string) => [
    process.execPath,
    '--import',
    'tsx',
    new URL(name, import.meta.url).pathname,
  ];
  const startService = async (version: 'v1' | 'v2', cpu: number | undefined) => {
    const waitMs = version === 'v2' ? scenario.waitMs : 0;
    const args = ['--version', version, '--wait-ms', String(waitMs)];
    const service = await start(`checkout-${version}`, cpu, nice.service, ...script('service.ts'), ...args);
    return `127.0.0.1:${await service.firstLine()}`;
  };
  const [firstCore, ownCore] = scenario.isNoisy ? [0, lastCore] : [];
  const targets = [await startService('v1', firstCore), await startService('v2', ownCore)];
  const rate = ['--rate', String(requestsPerSecond)];
  const load = await start('load', firstCore, nice.own, ...script('load.ts'), ...rate, ...targets);
  await load.firstLine();
  if (scenario.isNoisy) {
    await start('neighbour', ownCore, nice.own, ...asRealTime, process.execPath, '-e', neighbour);
  }
}

/** With little else on it, the core of v2 would sleep more than that of v1. To be called when bpftrace runs: see `keepAwake`. */
export const evenOut = async (tree: CgroupTree, children: Child[]): Promise<void> => {
  children.push(await keepAwake({ tree, cgroup: 'awake', cpu: lastCore }));
};
