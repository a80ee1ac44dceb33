// Windows of counts in, a verdict out: whole runs with `judge`, growing ones with `createJudge`.
import { assess, isReady, rungFindings } from './assess.ts';
import { each, named } from './checks.ts';
import { gradeOf } from './grade.ts';
import { passLooks, settingsOf } from './options.ts';
import type { JudgeOptions } from './options.ts';
import { emptyState, pushWindow } from './state.ts';
import type { State } from './state.ts';
import type { MetricVerdict, Subject, Verdict, VerdictInput, Window } from './types.ts';
import { checkHead, checkSubject } from './validate.ts';
import { metricVerdicts, verdictOf } from './verdict.ts';
import { checkWindow } from './window.ts';

/** A run that is judged while it goes on. */
export interface Judge {
  /**
   * Adds the next window.
   * @throws VerdictInputError if it is wrong or not later than the last; the run is then as it was.
   */
  readonly push: (window: Window) => void;
  /** The verdict at `now` (Unix seconds), by default the end of the last window. */
  readonly verdict: (now?: number) => Verdict;
}

/**
 * Returns the verdict of a whole run: what `createJudge` says after its last window.
 * @throws VerdictInputError naming the place that is wrong; RangeError for an option out of range.
 */
export function judge(input: VerdictInput, options?: JudgeOptions): Verdict {
  return judgeWindows(input, options, () => undefined);
}

/** What was known of each quantile when the window that ends at `end` (Unix seconds) had come. */
export interface Look {
  readonly end: number;
  readonly metrics: readonly MetricVerdict[];
}

/**
 * Returns the verdict of a whole run, as `judge` does, and how it came about: what `createJudge` would have said of
 * the quantiles after each window or, in a long run, after `mostLooks` of them, the last among them.
 * @throws VerdictInputError, RangeError as `judge`.
 */
export function judgeCourse(
  input: VerdictInput,
  options?: JudgeOptions,
  mostLooks = 180,
): { readonly verdict: Verdict; readonly looks: readonly Look[] } {
  const looks: Look[] = [];
  const verdict = judgeWindows(input, options, (state, left) => {
    if (left % Math.ceil(input.windows.length / mostLooks) > 0) return;
    looks.push({
      end: state.lastEnd ?? 0,
      metrics: metricVerdicts(rungFindings(state, gradeOf(state).name)),
    });
  });
  return { verdict, looks };
}

function judgeWindows(
  input: VerdictInput,
  options: JudgeOptions | undefined,
  onWindow: (state: State, left: number) => void,
): Verdict {
  const { windows, now } = checkHead(input);
  const state = emptyState(input, settingsOf(options));
  each(windows, 'windows', (window, i) => {
    const left = windows.length - 1 - i;
    add(state, window, now);
    onWindow(state, left);
    // Of a whole run, only the looks that a pass needs in a row can matter.
    if (left < passLooks) look(state);
  });
  return verdictOf(state, now);
}

/**
 * Returns a judge of a run that has no window yet; the cost of a window does not grow with the run.
 * @throws VerdictInputError for a wrong subject; RangeError for an option out of range.
 */
export function createJudge(subject: Subject, options?: JudgeOptions): Judge {
  const state = emptyState(checkSubject(subject), settingsOf(options));
  return {
    push: (window) => {
      try {
        add(state, window, Infinity);
      } catch (error) {
        throw named(error, 'window');
      }
      look(state);
    },
    verdict: (now = state.lastEnd ?? 0) => verdictOf(state, now),
  };
}

function add(state: State, window: unknown, now: number): void {
  pushWindow(state, checkWindow(window, state.layout, state.roster, state.lastEnd ?? -Infinity, now));
}

/** Every window is a look: a pass has to be earned at several in a row. */
function look(state: State): void {
  state.streak = isReady(state, assess(state)) ? state.streak + 1 : 0;
}
