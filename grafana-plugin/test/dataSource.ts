// A Prometheus and a dashboard's queries in; the frames that Grafana's data source would give their panel out.
import type { DataFrame } from '@grafana/data';
import { field, frame } from '../src/frames/fixture.ts';
import type { Labels } from '../src/frames/series.ts';

/** A query of a panel. */
export interface Target {
  readonly refId: string;
  readonly expr: string;
}

interface Range {
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
}

/** Returns the PromQL with dashboard variables filled in, as Grafana does before it asks. */
export function filled(expr: string, variables: Readonly<Record<string, string>>): string {
  return expr.replace(/\$\{?(\w+)\}?/g, (whole, name: string) => variables[name] ?? whole);
}

/** Asks all queries over the same range. */
export async function ask(
  url: string,
  targets: readonly Target[],
  variables: Readonly<Record<string, string>>,
  range: Range,
): Promise<readonly DataFrame[]> {
  const answers = await Promise.all(
    targets.map(async ({ refId, expr }) =>
      (await queryRange(url, filled(expr, variables), range)).map((series) => frameOf(refId, series)),
    ),
  );
  return answers.flat();
}

interface Series {
  readonly metric: Labels;
  readonly values?: readonly (readonly [time: number, value: string])[];
  readonly histograms?: readonly (readonly [time: number, histogram: NativeHistogram])[];
}

interface NativeHistogram {
  readonly buckets?: readonly (readonly [boundaries: number, lower: string, upper: string, count: string])[];
}

async function queryRange(
  url: string,
  query: string,
  { from, to, stepSeconds }: Range,
): Promise<readonly Series[]> {
  const asked = new URLSearchParams({ query, start: `${from}`, end: `${to}`, step: `${stepSeconds}` });
  const response = await fetch(`${url}/api/v1/query_range`, { method: 'POST', body: asked });
  if (!response.ok) throw new Error(`Prometheus answered ${response.status}: ${await response.text()}`);
  const { data } = (await response.json()) as { readonly data: { readonly result: readonly Series[] } };
  return data.result;
}

/** A series a frame; native histograms as heatmap cells, a row for each bucket of each moment. */
function frameOf(refId: string, { metric, values = [], histograms }: Series): DataFrame {
  if (!histograms) {
    return frame(
      refId,
      metric,
      values.map(([time]) => time),
      values.map(([, value]) => Number(value)),
    );
  }
  const rows = histograms.flatMap(([time, { buckets = [] }]) =>
    buckets.map(([, lower, upper, count]) => [time * 1000, Number(lower), Number(upper), Number(count)]),
  );
  const column = (at: number): number[] => rows.map((row) => row[at] ?? NaN);
  return {
    refId,
    length: rows.length,
    meta: { type: 'heatmap-cells' as never },
    fields: [
      field('xMax', 'time', column(0)),
      { ...field('yMin', 'number', column(1)), labels: { ...metric } },
      field('yMax', 'number', column(2)),
      field('count', 'number', column(3)),
    ],
  };
}
