// Nothing in; the goals of the reference, and what else is measured, as scenarios with bounds out.
import type { JudgeOptions } from '../src/index.ts';
import type { Outcome } from './outcome.ts';
import type { Load } from './server.ts';
import type { Scenario } from './world.ts';

/** A goal is a scenario and a share of its runs. */
export interface Goal {
  readonly name: string;
  /** As the reference states it; the bound decides, not the point. */
  readonly goal: string;
  readonly scenario: (run: number) => Scenario;
  readonly options?: JudgeOptions;
  readonly counts: (outcome: Outcome) => boolean;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly medianRequestsAtMost?: number;
  /** Whether rolling back is what the row counts, so that other judges can be put beside it. */
  readonly comparable?: boolean;
  /** A fail decides the row: later windows would not change it. */
  readonly untilFail?: boolean;
}

const matched: Scenario = {
  minutes: 60,
  windowSeconds: 30,
  rpsPerPod: 50,
  canaryNodes: [1, 2],
  baselineNodes: [1, 2, 3, 4, 5, 6],
  errors: { baseline: 0.001, canary: 0.001 },
};
const apart: Scenario = { ...matched, canaryNodes: [7, 8] };
/** The neighbour is on the CPUs of the canary's pods, and not on those of the baseline pods beside them. */
const onItsCpus = (run: number, invisible: number): Scenario => ({
  ...matched,
  kernel: true,
  neighbour: { ...neighbourOn([1, 2], run), canaryOnly: true, invisible },
});
const errorRun: Scenario = { ...matched, windowSeconds: 5, withoutDurations: true };
const tailAlone: Scenario = { ...matched, windowSeconds: 5, regression: { kind: 'tail', effect: 0.2 } };
const slowings = ['scale', 'shift', 'tail'] as const;
/** Kinds change every five runs, because the latency family changes with each. */
const kindOf = (run: number): (typeof slowings)[number] => slowings[Math.floor(run / 5) % 3] ?? 'scale';
/** Two pods of each version on the same nodes, each with a CPU of its own, whose requests queue for it. */
const served = (canary: Load, baseline: Load, rpsPerPod = 50): Scenario => ({
  minutes: 20,
  windowSeconds: 30,
  rpsPerPod,
  canaryNodes: [1, 2],
  baselineNodes: [1, 2],
  servers: { canary, baseline },
});
/** Some of these requests are so short that the margin of 15 ms would hide all that is asked here. */
const strict: JudgeOptions = { marginSeconds: 0 };
const loads: readonly Load[] = [
  { cpuSeconds: 0.004, elsewhereSeconds: 0 },
  { cpuSeconds: 0.008, elsewhereSeconds: 0 },
  { cpuSeconds: 0.002, elsewhereSeconds: 0.01 },
  { cpuSeconds: 0.004, elsewhereSeconds: 0.05 },
  { cpuSeconds: 0.008, elsewhereSeconds: 0.1 },
];
const loadOf = (run: number): Load => loads[run % loads.length] ?? { cpuSeconds: 0.004, elsewhereSeconds: 0 };
const slower = (load: Load, factor: number): Load => ({
  ...load,
  cpuSeconds: load.cpuSeconds * factor,
  elsewhereSeconds: load.elsewhereSeconds * factor,
});
/** A host takes `stealShare` of what the canary's CPUs want, and nothing from the baseline's. */
const robbed = (run: number, stealShare: number, factor = 1): Scenario =>
  served({ ...slower(loadOf(run), factor), stealShare }, loadOf(run));
/** One to four others want the canary's CPUs all the time; its own requests use 5 to 40 % of one. */
const crowded = (run: number, factor = 1, handsOn = false): Scenario => {
  const load = { ...loadOf(run), handsOn };
  const use = [0.05, 0.1, 0.2, 0.4][Math.floor(run / 5) % 4] ?? 0.1;
  const neighbours = [1, 2, 4][Math.floor(run / 20) % 3] ?? 1;
  return served({ ...slower(load, factor), neighbours }, load, use / load.cpuSeconds);
};
const failed = ({ failed: yes }: Outcome): boolean => yes;

function neighbourOn(nodes: readonly number[], run: number): NonNullable<Scenario['neighbour']> {
  return {
    nodes,
    kind: run % 2 ? 'scale' : 'tail',
    effect: 0.2,
    bursty: Math.floor(run / 10) % 2 === 1,
    invisible: 0.5,
  };
}

/** The goals of the reference first, then what else was measured. */
export const goals: readonly Goal[] = [
  {
    name: 'false rollback, neighbour adds 20 % to p99 on the canary’s nodes, matched',
    goal: '≤ 1 %',
    scenario: (run) => ({ ...matched, neighbour: neighbourOn([1, 2], run) }),
    counts: failed,
    atMost: 0.01,
    comparable: true,
  },
  {
    name: 'such runs end skewed or pass, with code pass',
    goal: '≥ 90 %',
    scenario: (run) => ({ ...matched, neighbour: neighbourOn([1, 2], run) }),
    counts: ({ last }) => last.code === 'pass',
    atLeast: 0.9,
  },
  {
    name: 'false rollback, nodes differ by nature (σ = 10 %), matched',
    goal: '≤ 1 %',
    scenario: () => ({ ...matched, nodeSpread: 0.1 }),
    counts: failed,
    atMost: 0.01,
    comparable: true,
  },
  {
    name: '+20 % p99 caught, matched',
    goal: '≥ 99 %, median ≤ 35 000 requests',
    scenario: (run) => ({ ...matched, regression: { kind: kindOf(run), effect: 0.2 } }),
    counts: failed,
    atLeast: 0.99,
    medianRequestsAtMost: 35_000,
    comparable: true,
    untilFail: true,
  },
  {
    name: '+20 % hidden by a quiet node caught',
    goal: '≥ 95 %',
    scenario: (run) => ({
      ...matched,
      canaryNodeFactor: 1 / 1.2,
      regression: { kind: kindOf(run), effect: 0.2 },
    }),
    counts: failed,
    atLeast: 0.95,
    comparable: true,
    untilFail: true,
  },
  {
    name: 'errors 0.1 → 1 % caught, looks every second, canary beside baselines',
    goal: '≥ 99 %, median ≤ 1000 requests',
    scenario: () => ({ ...errorRun, windowSeconds: 1, errors: { baseline: 0.001, canary: 0.01 } }),
    counts: failed,
    atLeast: 0.99,
    medianRequestsAtMost: 1000,
    untilFail: true,
  },
  {
    name: 'the same, canary on nodes of its own',
    goal: '≥ 99 %, median ≤ 1000 requests',
    scenario: () => ({
      ...errorRun,
      windowSeconds: 1,
      canaryNodes: [7, 8],
      errors: { baseline: 0.001, canary: 0.01 },
    }),
    counts: failed,
    atLeast: 0.99,
    medianRequestsAtMost: 1000,
    untilFail: true,
  },
  {
    name: 'errors 0.1 → 1 % caught after half an hour of health, looks every 5 s',
    goal: 'reported',
    scenario: () => ({ ...errorRun, minutes: 40, errors: { baseline: 0.001, canary: 0.01, from: 30 } }),
    counts: failed,
    medianRequestsAtMost: Infinity,
    untilFail: true,
  },
  {
    name: 'false rollback on errors, 0.1 % in both, looks every 5 s',
    goal: '≤ 1 %',
    scenario: () => errorRun,
    counts: failed,
    atMost: 0.01,
  },
  {
    name: '0.5 rps a pod, identical: fails',
    goal: '0',
    scenario: () => ({ ...matched, rpsPerPod: 0.5 }),
    counts: failed,
    atMost: 0.01,
    comparable: true,
  },
  {
    name: '0.5 rps a pod, identical: ends inconclusive with MDE and time',
    goal: 'all',
    scenario: () => ({ ...matched, rpsPerPod: 0.5 }),
    counts: ({ words, last }) =>
      words.size === 1 &&
      last.verdict === 'inconclusive' &&
      last.samples.mde !== null &&
      last.samples.etaSeconds !== null,
    atLeast: 0.99,
  },
  {
    name: 'false pass at an effect equal to the pass margin (+10 % p99)',
    goal: '≤ 5 %',
    scenario: () => ({ ...matched, regression: { kind: 'scale', effect: 0.1 } }),
    counts: ({ passed }) => passed,
    atMost: 0.05,
  },
  {
    name: 'false pass, +20 % in the tail alone, looks every 5 s',
    goal: '≤ 5 %',
    scenario: () => tailAlone,
    counts: ({ passed }) => passed,
    atMost: 0.05,
    untilFail: true,
  },
  {
    name: 'the same at 5 rps a pod, where a pass rests on the p95',
    goal: 'reported',
    scenario: () => ({ ...tailAlone, rpsPerPod: 5 }),
    counts: ({ passed }) => passed,
    untilFail: true,
  },
  {
    name: 'identical, looks every 5 s: a pass is taken back',
    goal: 'reported',
    scenario: () => ({ ...matched, windowSeconds: 5 }),
    counts: ({ takenBack }) => takenBack,
  },
  {
    name: 'false rollback at an effect equal to the fail margin (+5 % p99)',
    goal: '≤ 1 %',
    scenario: () => ({ ...matched, regression: { kind: 'tail', effect: 0.05 } }),
    counts: failed,
    atMost: 0.01,
  },
  {
    name: 'the same at 5 rps a pod, where the ladder is climbed',
    goal: '≤ 1 %',
    scenario: () => ({ ...matched, rpsPerPod: 5, regression: { kind: 'scale', effect: 0.05 } }),
    counts: failed,
    atMost: 0.01,
  },
  {
    name: 'false rollback, a bad node gives both versions 0.5 % errors',
    goal: '≤ 1 %',
    scenario: () => ({ ...errorRun, errors: { baseline: 0.001, canary: 0.001, canaryNodesFactor: 5 } }),
    counts: failed,
    atMost: 0.01,
  },
  {
    name: 'false rollback, errors in bursts of 3',
    goal: '≤ 1 %',
    scenario: () => ({ ...errorRun, errors: { baseline: 0.001, canary: 0.001, burst: 3 } }),
    counts: failed,
    atMost: 0.01,
  },
  {
    name: 'false rollback, neighbour on the canary’s CPUs alone of shared nodes, net durations',
    goal: '≤ 1 %',
    scenario: (run) => onItsCpus(run, 0),
    counts: failed,
    atMost: 0.01,
    comparable: true,
  },
  {
    name: 'the same, where half of what it costs is not waiting but cache and clock',
    goal: 'reported',
    scenario: (run) => onItsCpus(run, 0.5),
    counts: failed,
  },
  {
    name: '+20 % p99 caught beside such a neighbour',
    goal: '≥ 95 %',
    scenario: (run) => ({ ...onItsCpus(run, 0), regression: { kind: kindOf(run), effect: 0.2 } }),
    counts: failed,
    atLeast: 0.95,
    comparable: true,
    untilFail: true,
  },
  ...[0.02, 0.05, 0.1].flatMap((share): readonly Goal[] => [
    {
      name: `false rollback, a host steals ${100 * share} % from the canary’s CPUs alone, requests queue`,
      goal: '≤ 1 %',
      scenario: (run) => robbed(run, share),
      options: strict,
      counts: failed,
      atMost: 0.01,
    },
    {
      name: `every request 20 % slower, caught beside ${100 * share} % steal`,
      goal: 'reported',
      scenario: (run) => robbed(run, share, 1.2),
      options: strict,
      counts: failed,
      untilFail: true,
    },
  ]),
  {
    name: 'false rollback, 1 to 4 others want the canary’s CPUs all the time, requests queue',
    goal: '≤ 1 %',
    scenario: (run) => crowded(run),
    options: strict,
    counts: failed,
    atMost: 0.01,
  },
  {
    name: 'every request 20 % slower, caught beside them',
    goal: 'reported',
    scenario: (run) => crowded(run, 1.2),
    options: strict,
    counts: failed,
    untilFail: true,
  },
  {
    name: 'false rollback beside them, where one thread reads requests and others work on them',
    goal: '≤ 1 %',
    scenario: (run) => crowded(run, 1, true),
    options: strict,
    counts: failed,
    atMost: 0.01,
  },
  {
    name: 'every request 50 % slower, caught there',
    goal: 'reported',
    scenario: (run) => crowded(run, 1.5, true),
    options: strict,
    counts: failed,
    untilFail: true,
  },
  {
    name: 'false rollback, neighbour, no shared node, net durations (measured)',
    goal: '≤ 1 %',
    scenario: (run) => ({ ...apart, kernel: true, nodeSpread: 0.03, neighbour: neighbourOn([7, 8], run) }),
    counts: failed,
    atMost: 0.01,
    comparable: true,
  },
  {
    name: 'false rollback, neighbour, no shared node, three co-tenants',
    goal: '≤ 1 %',
    scenario: (run) => ({ ...apart, coTenants: 3, nodeSpread: 0.03, neighbour: neighbourOn([7, 8], run) }),
    counts: failed,
    atMost: 0.01,
    comparable: true,
  },
  {
    name: '+20 % p99 caught, no shared node, three co-tenants',
    goal: 'reported',
    scenario: (run) => ({
      ...apart,
      coTenants: 3,
      nodeSpread: 0.03,
      regression: { kind: kindOf(run), effect: 0.2 },
    }),
    counts: failed,
    comparable: true,
    untilFail: true,
  },
  {
    name: 'false rollback, gaps and restarts, nodes differ',
    goal: '≤ 1 %',
    scenario: () => ({ ...matched, nodeSpread: 0.1, gaps: 0.1, restarts: 0.02 }),
    counts: failed,
    atMost: 0.01,
    comparable: true,
  },
  {
    name: '+20 % p99 from minute 20 on caught by minute 60',
    goal: 'reported',
    scenario: (run) => ({ ...matched, regression: { kind: kindOf(run), effect: 0.2, from: 20 } }),
    counts: failed,
    medianRequestsAtMost: Infinity,
    comparable: true,
    untilFail: true,
  },
  {
    name: '+50 % for ten minutes, then healed: ends as fail',
    goal: 'reported',
    scenario: () => ({ ...matched, regression: { kind: 'scale', effect: 0.5, from: 10, until: 20 } }),
    counts: ({ last }) => last.verdict === 'fail',
  },
];
