// A goal and a run's number in; what Plumbline and the other judges made of that run out.
import { createJudge } from '../src/index.ts';
import type { Verdict } from '../src/index.ts';
import type { Goal } from './goals.ts';
import { othersOutcome } from './others.ts';
import type { OthersOutcome } from './others.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

/** What one run came to. */
export interface Outcome {
  readonly failed: boolean;
  /** Canary requests until the first fail, from when the scenario makes the canary worse. */
  readonly failedAtRequests: number | undefined;
  /** A code of pass at any look. */
  readonly passed: boolean;
  /** Some look after it was none. */
  readonly takenBack: boolean;
  readonly words: ReadonlySet<Verdict['verdict']>;
  readonly last: Verdict;
  readonly others: OthersOutcome | undefined;
}

/** Judges one run, looking after every window. */
export function outcomeOf(goal: Goal, run: number): Outcome {
  const scenario = goal.scenario(run);
  const world = createWorld(scenario, run);
  const judge = createJudge(world.subject, goal.options);
  const words = new Set<Verdict['verdict']>();
  let failedAtRequests: number | undefined;
  let passed = false;
  let takenBack = false;
  let last = judge.verdict();
  const changeSeconds = 60 * (scenario.regression?.from ?? scenario.errors?.from ?? 0);
  const start = (world.windows[0]?.end ?? 0) - scenario.windowSeconds;
  let requestsBefore = 0;
  for (const window of world.windows) {
    judge.push(window);
    last = judge.verdict();
    words.add(last.verdict);
    takenBack ||= passed && last.code !== 'pass';
    passed ||= last.code === 'pass';
    if (window.end - start <= changeSeconds) requestsBefore = last.samples.canary;
    if (last.verdict === 'fail') failedAtRequests ??= last.samples.canary - requestsBefore;
    if (failedAtRequests !== undefined && goal.untilFail) break;
  }
  return {
    failed: failedAtRequests !== undefined,
    failedAtRequests,
    passed,
    takenBack,
    words,
    last,
    others: others(goal, world),
  };
}

function others({ comparable }: Goal, world: World): OthersOutcome | undefined {
  return comparable ? othersOutcome(world) : undefined;
}
