// Runs and a filter from the command line in; the table of goals, calibration and speed, as Markdown, out.
import { calibration } from './calibration.ts';
import { estimators } from './estimators.ts';
import { goals } from './goals.ts';
import { outcomeOf } from './outcome.ts';
import type { Goal } from './goals.ts';
import type { Outcome } from './outcome.ts';
import { speed } from './speed.ts';
import { lowerBound, percentile, upperBound } from './stats.ts';

const runs = Number(process.argv[2] ?? 1000);
const filter = new RegExp(process.argv[3] ?? '.');

print(`${runs} runs a row, seeds 0 to ${runs - 1}; bounds are one-sided 95 %.\n`);
print('| | goal | Plumbline | bound | kept | Kayenta | Flagger | Argo |');
print('|---|---|---|---|---|---|---|---|');
let missed = 0;
for (const goal of goals.filter(({ name }) => filter.test(name))) {
  const outcomes = Array.from({ length: runs }, (_, run) => outcomeOf(goal, run));
  print(row(goal, outcomes));
}
if (filter.test('calibration')) print(calibration(runs));
if (filter.test('estimators')) print(estimators(runs));
if (filter.test('speed')) print(speed());
process.exitCode = missed > 0 ? 1 : 0;

function row(goal: Goal, outcomes: readonly Outcome[]): string {
  const counted = outcomes.filter(goal.counts).length;
  const bound = goal.atLeast === undefined ? upperBound(counted, runs) : lowerBound(counted, runs);
  const requests = percentile(
    outcomes.map(({ failedAtRequests = Infinity }) => failedAtRequests),
    0.5,
  );
  const late = goal.medianRequestsAtMost !== undefined && (requests ?? Infinity) > goal.medianRequestsAtMost;
  const kept = bound <= (goal.atMost ?? 1) && bound >= (goal.atLeast ?? 0) && !late;
  if (!kept) missed += 1;
  const others = (['kayenta', 'flagger', 'argo'] as const).map((name) =>
    goal.comparable ? percent(outcomes.filter((outcome) => outcome.others?.[name]).length / runs) : '',
  );
  const figure =
    percent(counted / runs) +
    (goal.medianRequestsAtMost ? `, median ${Math.round(requests ?? Infinity)}` : '');
  const sign = goal.atLeast === undefined ? '≤' : '≥';
  const verdict = goal.atMost === undefined && goal.atLeast === undefined ? '' : kept ? 'yes' : '**no**';
  return `| ${[goal.name, goal.goal, figure, `${sign} ${percent(bound)}`, verdict, ...others].join(' | ')} |`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 2 : 1)} %`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
