// What is shown in the browser tests. In: what is to be wrong or different. Out: frames as Prometheus answers.
import type { DataFrame } from '@grafana/data';
import type { Scene } from '../host/main.tsx';
import { framesOf } from '../src/frames/fixture.ts';
import { madeUpRun } from '../src/model/fixture.ts';
import type { Shape } from '../src/model/fixture.ts';

/** A panel of usual size that shows a made-up run. */
export function sceneOf(shape: Shape = {}, change: Partial<Scene> = {}): Scene {
  const run = madeUpRun({ nodes: 4, windows: 100, ...shape });
  return {
    frames: [...framesOf(run)],
    from: (run.windows[0]?.end ?? 0) - run.windowSeconds,
    to: run.now,
    options: { app: 'checkout' },
    theme: 'dark',
    width: 1000,
    height: 900,
    ...change,
  };
}

/** Returns the scene with every series of a query changed, or all series where `refId` is undefined. */
export function withSeries(
  scene: Scene,
  refId: string | undefined,
  change: (series: Change) => Partial<Change> | undefined,
): Scene {
  const frames = scene.frames.flatMap((frame): DataFrame[] => {
    if (refId !== undefined && frame.refId !== refId) return [frame];
    const [time, value] = frame.fields;
    if (!time || !value) return [frame];
    const before = {
      refId: frame.refId ?? '',
      labels: value.labels ?? {},
      times: time.values as number[],
      values: value.values as number[],
    };
    const changed = change(before);
    if (!changed) return [];
    const { labels, times, values, refId: name } = { ...before, ...changed };
    return [
      {
        ...frame,
        refId: name,
        length: times.length,
        fields: [
          { ...time, values: times },
          { ...value, labels, values },
        ],
      },
    ];
  });
  return { ...scene, frames };
}

/** One series: times are ms. */
export interface Change {
  readonly refId: string;
  readonly labels: Record<string, string>;
  readonly times: number[];
  readonly values: number[];
}
