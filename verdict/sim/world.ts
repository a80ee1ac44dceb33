// A scenario and a seed in; the windows that an agent on every node would have reported out.
import type { Cell, Subject, Window } from '../src/types.ts';
import { families, simulatedSchema, slowed, tabulate } from './families.ts';
import type { BucketTable, Cdf, Slowing } from './families.ts';
import { createRng } from './rng.ts';
import type { Rng } from './rng.ts';
import { createServer } from './server.ts';
import type { Answered, Load } from './server.ts';

/** One simulated rollout. Effects are relative changes of p99; times are minutes from the start. */
export interface Scenario {
  readonly minutes: number;
  readonly windowSeconds: number;
  readonly rpsPerPod: number;
  /** Node numbers, one pod each. */
  readonly canaryNodes: readonly number[];
  readonly baselineNodes: readonly number[];
  readonly regression?: {
    readonly kind: Slowing;
    readonly effect: number;
    readonly from?: number;
    readonly until?: number;
  };
  /** Busy nodes: all requests on them are slower, steadily or in bursts of minutes. */
  readonly neighbour?: {
    readonly nodes: readonly number[];
    readonly kind: Slowing;
    readonly effect: number;
    readonly bursty?: boolean;
    /** Only the CPUs of the canary's pods are busy, and not those of baseline pods beside them. */
    readonly canaryOnly?: boolean;
    /** Share of the effect that neither net durations nor contention figures show. */
    readonly invisible?: number;
  };
  /** Standard deviation of ln speed between nodes. */
  readonly nodeSpread?: number;
  /** Factor on all durations on the canary's nodes: below 1 they are quiet. */
  readonly canaryNodeFactor?: number;
  readonly errors?: {
    readonly baseline: number;
    readonly canary: number;
    readonly canaryNodesFactor?: number;
    /** Before this minute the canary fails as often as the baseline. */
    readonly from?: number;
    readonly burst?: number;
  };
  /** Chance that a window is lost altogether, and that a pod restarts (is away for two windows). */
  readonly gaps?: number;
  readonly restarts?: number;
  /** Whether net durations and contention are reported. */
  readonly kernel?: boolean;
  /** Other services on every node, slowed by the same neighbour. */
  readonly coTenants?: number;
  /** Requests queue for a CPU of each pod's own, instead of being drawn from a family. */
  readonly servers?: { readonly canary: Load; readonly baseline: Load };
  readonly withoutDurations?: boolean;
  readonly family?: string;
}

/** What the simulator hands to judges. */
export interface World {
  readonly subject: Subject;
  readonly windows: readonly Window[];
  readonly family: string;
}

const startSeconds = 1_790_000_000;

/** Returns the world of run number `run`: the latency family changes from run to run, the seed with it. */
export function createWorld(scenario: Scenario, run: number): World {
  const rng = createRng(run * 7919 + 17);
  const names = Object.keys(families);
  const family = scenario.family ?? names[run % names.length] ?? 'log-normal';
  const nodes = nodesOf(scenario, rng);
  const pods = podsOf(scenario, family, rng);
  const windows: Window[] = [];
  const steps = Math.round((scenario.minutes * 60) / scenario.windowSeconds);
  const phase = 2 * Math.PI * rng.uniform();
  const away = new Map<Pod, number>();
  for (let step = 0; step < steps; step++) {
    for (const node of nodes.values()) stepNeighbour(node, scenario, rng);
    const minute = (step * scenario.windowSeconds) / 60;
    const traffic = 1 + 0.2 * Math.sin((2 * Math.PI * minute) / 45 + phase);
    if (rng.uniform() < (scenario.gaps ?? 0)) continue;
    const cells = pods.flatMap((pod) => {
      if (rng.uniform() < (scenario.restarts ?? 0)) away.set(pod, step + 2);
      const node = nodes.get(pod.node);
      return node && (away.get(pod) ?? 0) <= step ? [cellOf(scenario, pod, node, minute, traffic, rng)] : [];
    });
    windows.push({ end: startSeconds + (step + 1) * scenario.windowSeconds, cells });
  }
  return {
    subject: {
      app: 'simulated',
      canary: 'v2',
      baseline: 'v1',
      buckets: { schema: simulatedSchema },
      windowSeconds: scenario.windowSeconds,
    },
    windows,
    family,
  };
}

interface Node {
  readonly id: number;
  readonly lnSpeed: number;
  readonly neighbour: boolean;
  busy: boolean;
}

interface Pod {
  readonly node: number;
  readonly arm: Cell['arm'];
  /** Distributions when the node is quiet or busy, before and during the regression, in full and net. */
  readonly table: (busy: boolean, regressed: boolean, net: boolean) => BucketTable;
  readonly answer?: (seconds: number, rps: number) => Answered;
}

function nodesOf(scenario: Scenario, rng: Rng): ReadonlyMap<number, Node> {
  const ids = [...new Set([...scenario.canaryNodes, ...scenario.baselineNodes])];
  return new Map(
    ids.map((id) => {
      const natural = (scenario.nodeSpread ?? 0) * rng.normal();
      const quiet = scenario.canaryNodes.includes(id) ? Math.log(scenario.canaryNodeFactor ?? 1) : 0;
      const neighbour = scenario.neighbour?.nodes.includes(id) ?? false;
      return [
        id,
        { id, lnSpeed: natural + quiet, neighbour, busy: neighbour && !scenario.neighbour?.bursty },
      ];
    }),
  );
}

/** Bursts last five minutes on average, and the quiet between them as long. */
function stepNeighbour(node: Node, { neighbour, windowSeconds }: Scenario, rng: Rng): void {
  if (node.neighbour && neighbour?.bursty && rng.uniform() < windowSeconds / 300) node.busy = !node.busy;
}

function podsOf(scenario: Scenario, family: string, rng: Rng): readonly Pod[] {
  const table = tableOf(scenario, family);
  const healthy: Pod['table'] = (busy, _, net) => table(busy, false, net);
  const serverOf = (arm: 'canary' | 'baseline') =>
    scenario.servers && { answer: createServer(scenario.servers[arm], rng) };
  const others = Array.from({ length: scenario.coTenants ?? 0 }, (_, i): Pod[] =>
    [...new Set([...scenario.canaryNodes, ...scenario.baselineNodes])].map((node) => ({
      node,
      arm: `other:service-${i}`,
      table: healthy,
    })),
  );
  return [
    ...scenario.canaryNodes.map((node): Pod => ({ node, arm: 'canary', table, ...serverOf('canary') })),
    ...scenario.baselineNodes.map((node): Pod => ({
      node,
      arm: 'baseline',
      table: healthy,
      ...serverOf('baseline'),
    })),
    ...others.flat(),
  ];
}

const tables = new Map<string, BucketTable>();

function tableOf({ neighbour, regression }: Scenario, family: string): Pod['table'] {
  const base: Cdf = families[family] ?? (() => 1);
  return (busy, regressed, net) => {
    const byNeighbour = busy && neighbour ? neighbour.effect * (net ? (neighbour.invisible ?? 0) : 1) : 0;
    const byCode = regressed && regression ? regression.effect : 0;
    const key = [family, neighbour?.kind, byNeighbour, regression?.kind, byCode].join();
    const known = tables.get(key);
    if (known) return known;
    const coded = slowed(base, regression?.kind ?? 'scale', byCode);
    const made = tabulate(slowed(coded, neighbour?.kind ?? 'scale', byNeighbour));
    tables.set(key, made);
    return made;
  };
}

function cellOf(scenario: Scenario, pod: Pod, node: Node, minute: number, traffic: number, rng: Rng): Cell {
  const { regression, errors, rpsPerPod, windowSeconds } = scenario;
  if (pod.answer) {
    return {
      node: `n${node.id}`,
      arm: pod.arm,
      errors: 0,
      ...pod.answer(windowSeconds, rpsPerPod * traffic),
    };
  }
  const mean = rpsPerPod * windowSeconds * traffic;
  const regressed =
    pod.arm === 'canary' &&
    regression !== undefined &&
    minute >= (regression.from ?? 0) &&
    minute < (regression.until ?? Infinity);
  const busy = node.busy && (!scenario.neighbour?.canaryOnly || pod.arm === 'canary');
  const draw = (
    net: boolean,
  ): { readonly offset: number; readonly counts: readonly number[]; readonly total: number } => {
    const { offset, probabilities } = pod.table(busy, regressed, net);
    const counts: number[] = [];
    let total = 0;
    for (const probability of cached(probabilities, node.lnSpeed)) {
      const count = probability > 0 ? rng.poisson(mean * probability) : 0;
      counts.push(count);
      total += count;
    }
    return { offset, counts, total };
  };
  const durations = scenario.withoutDurations ? undefined : draw(false);
  const requests = durations?.total ?? rng.poisson(mean);
  const cell: Cell = {
    node: `n${node.id}`,
    arm: pod.arm,
    requests,
    errors: Math.min(requests, errorsOf(errors, pod, node, scenario, requests, minute, rng)),
    ...(durations && { durations: { offset: durations.offset, counts: durations.counts } }),
  };
  if (!scenario.kernel) return cell;
  const net = draw(true);
  const shown = busy ? (scenario.neighbour?.effect ?? 0) * (1 - (scenario.neighbour?.invisible ?? 0)) : 0;
  return {
    ...cell,
    netDurations: { offset: net.offset, counts: net.counts },
    schedDelaySeconds: requests * 0.1 * shown,
    contention: {
      runqueueP95Seconds: 0.0002 + 0.01 * shown * rng.uniform(),
      throttledShare: 0,
      cpuPressureShare: Math.min(1, 0.02 * rng.uniform() + shown),
    },
  };
}

function errorsOf(
  errors: Scenario['errors'],
  pod: Pod,
  node: Node,
  { canaryNodes }: Scenario,
  requests: number,
  minute: number,
  rng: Rng,
): number {
  if (!errors || (pod.arm !== 'canary' && pod.arm !== 'baseline')) return 0;
  const byNode = canaryNodes.includes(node.id) ? (errors.canaryNodesFactor ?? 1) : 1;
  const burst = errors.burst ?? 1;
  const ratio = errors[minute < (errors.from ?? 0) ? 'baseline' : pod.arm];
  const incidents = rng.poisson((requests * ratio * byNode) / burst);
  let total = 0;
  for (let i = 0; i < incidents; i++) total += rng.geometric(burst);
  return total;
}

const probabilityCache = new WeakMap<BucketTable['probabilities'], Map<number, Float64Array>>();

function cached(probabilities: BucketTable['probabilities'], lnSpeed: number): Float64Array {
  const bySpeed = probabilityCache.get(probabilities) ?? new Map<number, Float64Array>();
  probabilityCache.set(probabilities, bySpeed);
  const known = bySpeed.get(lnSpeed);
  if (known) return known;
  // Natural node speeds are new in every run: without a limit the cache would outgrow the bench.
  if (bySpeed.size > 64) bySpeed.clear();
  const made = probabilities(lnSpeed);
  bySpeed.set(lnSpeed, made);
  return made;
}
