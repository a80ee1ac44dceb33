// Frames in; the ms that each part of the panel's work on them takes out, on the engine that does it for users.
import type { DataFrame } from '@grafana/data';
import { judge } from '@plumbline/verdict';
import { observe } from '../src/frames/observe.ts';
import { buildModel } from '../src/model/build.ts';

export interface Times {
  /** Copying each number once: what nobody can do without. */
  readonly floor: number;
  /** From frames to a run. */
  readonly frames: number;
  /** From the run to all that is drawn; the verdict is part of it. */
  readonly model: number;
  /** From the run to the verdict alone. */
  readonly verdict: number;
}

/** Returns the times of one go. */
export function timesOf(frames: readonly DataFrame[]): Times {
  const wanted = { app: '', canary: '', baseline: '', roles: '', higherIsBetter: '', asked: [], now: 0 };
  let observed = observe([], wanted);
  const framesMs = milliseconds(() => (observed = observe(frames, wanted)));
  const model = milliseconds(() => buildModel(observed, { quantile: 0.99, judge: {} }));
  const { run, notice } = observed;
  if (!run) throw new Error(notice?.title);
  const floor = milliseconds(() => {
    copyOf(frames);
  });
  return { floor, frames: framesMs, model, verdict: milliseconds(() => judge(run)) };
}

/** As a whole: a loop over arrays of different kinds takes V8 ten times as long. */
function copyOf(frames: readonly DataFrame[]): void {
  let copy = new Float64Array();
  for (const { fields, length } of frames) {
    if (copy.length < length) copy = new Float64Array(length);
    for (const { values } of fields) copy.set(values as number[]);
  }
}

function milliseconds(work: () => unknown): number {
  const begin = performance.now();
  work();
  return performance.now() - begin;
}
