// A Prometheus and a dashboard's queries in; the frames that Grafana's data source would give their panel out.
import type { DataFrame } from '@grafana/data';
import { createPrometheus } from '../../agent/src/judge/prometheus.ts';
import type { PrometheusSeries, Steps } from '../../agent/src/judge/prometheus.ts';
import { frame, heatmapFrame } from '../src/frames/fixture.ts';
import type { HeatmapCell } from '../src/frames/fixture.ts';

/** A query of a panel. */
export interface Target {
  readonly refId: string;
  readonly expr: string;
}

/** Returns the PromQL with dashboard variables filled in, as Grafana does before it asks. */
export function filled(expr: string, variables: Readonly<Record<string, string>>): string {
  return expr.replace(/\$\{?(\w+)\}?/g, (whole, name: string) => variables[name] ?? whole);
}

/** Asks all queries over the same steps. */
export async function ask(
  url: string,
  targets: readonly Target[],
  variables: Readonly<Record<string, string>>,
  steps: Steps,
): Promise<readonly DataFrame[]> {
  const { queryRange } = createPrometheus({ url, timeoutMs: 30_000 });
  const answers = await Promise.all(
    targets.map(async ({ refId, expr }) =>
      (await queryRange(filled(expr, variables), steps)).map((series) => frameOf(refId, series)),
    ),
  );
  return answers.flat();
}

function frameOf(refId: string, { metric, values = [], histograms }: PrometheusSeries): DataFrame {
  if (!histograms) {
    return frame(
      refId,
      metric,
      values.map(([time]) => time),
      values.map(([, value]) => Number(value)),
    );
  }
  const cells = histograms.flatMap(([time, { buckets = [] }]) =>
    buckets.map(([, lower, upper, count]): HeatmapCell => [
      time,
      Number(lower),
      Number(upper),
      Number(count),
    ]),
  );
  return heatmapFrame(refId, metric, cells);
}
