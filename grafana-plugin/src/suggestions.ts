// What a user's data looks like in; whether this panel is offered for it out.
import { VisualizationSuggestionScore } from '@grafana/data';
import type { PanelDataSummary, VisualizationSuggestion } from '@grafana/data';
import { meaningOf } from './frames/roles.ts';
import type { CanaryOptions } from './options.ts';

/** Offers the panel where the queries have the names of its roles, or histograms by version. */
export function suggest(summary: PanelDataSummary): VisualizationSuggestion<CanaryOptions>[] | undefined {
  const frames = summary.rawFrames ?? [];
  const isOurs = frames.some(({ refId = '' }) => meaningOf(refId, new Map()) !== undefined);
  const isAlike = frames.some(({ fields }) =>
    fields.some(({ labels }) => labels?.le !== undefined && labels.version !== undefined),
  );
  if (!isOurs && !isAlike) return undefined;
  return [
    {
      name: 'Canary over baseline',
      score: isOurs ? VisualizationSuggestionScore.Best : VisualizationSuggestionScore.Good,
    },
  ];
}
