// Answers that cannot be used in; what is wrong and what to do, in words, out.
import type { DataFrame } from '@grafana/data';
import type { Notice } from '../model/run.ts';
import type { Answers } from './observe.ts';
import { labelsOf, queryOf } from './roles.ts';
import type { Role } from './roles.ts';
import type { Series } from './series.ts';

/** Series that all queries may return; more would stall the browser long before they told more. */
export const mostSeries = 60_000;

/** Returns the notice for more series than are read. */
export function checkSize(frames: readonly DataFrame[]): Notice | undefined {
  if (frames.length <= mostSeries) return undefined;
  const refId = frames[0]?.refId ?? '';
  return {
    kind: 'wrong-data',
    title: `The queries return ${frames.length.toLocaleString('en')} series.`,
    text: `More than ${mostSeries.toLocaleString('en')} are not read: the browser would stand still. The first come from "${refId}".`,
    remedies: [
      'Choose one app, and sum over the labels that are not needed:',
      queryOf('durations'),
      'With native histograms, one series holds all buckets.',
    ],
  };
}

/** Returns the notice for answers whose form is wrong, or undefined. */
export function checkAnswers(answers: Answers): Notice | undefined {
  for (const [role, frames] of answers.frames) {
    const wrongFormat = frames.find(
      ({ meta, fields }) =>
        meta?.type === ('heatmap-rows' as never) ||
        (fields.length > 0 &&
          !fields.some(({ type, name }) => type === ('time' as never) || name === 'xMax')),
    );
    if (wrongFormat) {
      return {
        kind: 'wrong-data',
        title: `The query "${role}" has the wrong format.`,
        text: 'It answers with a table or a heatmap.',
        remedies: ['In the query, under Options, set Format to "Time series".', queryOf(role)],
      };
    }
  }
  return (
    missingLabels('durations', answers.durations.series) ??
    missingLabels('requests', answers.series('requests')) ??
    wrongBounds(answers)
  );
}

/** Nothing that the panel could read was asked. */
export function noQueries(asked: readonly string[]): Notice {
  return {
    kind: 'missing',
    title: asked.length === 0 ? 'This panel has no queries yet.' : 'No query of this panel has a known role.',
    text:
      asked.length === 0
        ? 'The dashboards that come with Plumbline have them all; import one, or add these two to start.'
        : `What a query gives is told by its refId (here ${asked.join(', ')}), or by the option "Queries by refId".`,
    remedies: [`durations: ${queryOf('durations')}`, `requests: ${queryOf('requests')}`],
  };
}

/** A role whose totals cannot be counters. */
export function notCounters(role: Role, why: string): Notice {
  return {
    kind: 'wrong-data',
    title: `The query "${role}" does not give running totals.`,
    text: `The panel takes differences of totals itself, so that no step can mislead it, but ${why}.`,
    remedies: ['Leave out rate() and increase(), and sum over all other labels:', queryOf(role)],
  };
}

/** Two queries without a moment in common. */
export function disagreement(durations: number, requests: number): Notice {
  return {
    kind: 'wrong-data',
    title: 'The queries have no moment in common.',
    text: `"durations" comes every ${durations} s and "requests" every ${requests} s, at other moments.`,
    remedies: ['Give both the same data source and the same "Min step", under the query\'s Options.'],
  };
}

/** The data is of more than one app. */
export function severalApps(apps: readonly string[]): Notice {
  return {
    kind: 'wrong-data',
    title: 'The queries return more than one app.',
    text: `Versions of different apps cannot be compared: ${apps.slice(0, 8).join(', ')}.`,
    remedies: ['Choose one with app="…" in each query, or with the dashboard variable $app.'],
  };
}

function missingLabels(role: Role, series: readonly Series[]): Notice | undefined {
  const needed = labelsOf[role].filter((name) => name !== 'le');
  for (const { labels } of series) {
    const isMissing = (name: string): boolean => (labels[name] ?? '') === '';
    if (!needed.some(isMissing)) continue;
    const missing = needed.filter(isMissing);
    const there = Object.keys(labels).filter((name) => name !== '__name__');
    return {
      kind: 'wrong-data',
      title: `Series of the query "${role}" lack the label ${missing.join(' and ')}.`,
      text: there.length > 0 ? `They have ${there.join(', ')}.` : 'They have no labels at all.',
      remedies: ['Keep these labels in the sum, or make them with label_replace():', queryOf(role)],
    };
  }
  return undefined;
}

function wrongBounds({ durations }: Answers): Notice | undefined {
  if (durations.wrongLe === 0 || durations.series.length > 0) return undefined;
  return {
    kind: 'wrong-data',
    title: 'No series of the query "durations" has a number as its label le.',
    text: 'Buckets are told apart by their upper bound in seconds.',
    remedies: ['Ask for the series whose name ends in _bucket, by le:', queryOf('durations')],
  };
}
