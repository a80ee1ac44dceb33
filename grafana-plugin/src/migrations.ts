// Options as an older version, or a careless hand, has stored them in; options that this version can use out.
import type { PanelModel } from '@grafana/data';
import { sections } from './options.ts';
import type { CanaryOptions } from './options.ts';

/**
 * Grafana calls this when a panel was saved by another version of the plugin. What this version does not know is
 * dropped, so that the defaults take its place.
 */
export function migrate({ options }: Pick<PanelModel, 'options'>): Partial<CanaryOptions> {
  const known: Record<string, unknown> = { ...(options as object) };
  if (!Array.isArray(known.sections)) delete known.sections;
  else known.sections = known.sections.filter((section) => sections.includes(section as never));
  // Dashboards that are written by hand say "p99" or "0.99".
  if (typeof known.quantile === 'string') known.quantile = Number(known.quantile.replace(/^p/, '0.'));
  if (![0.5, 0.9, 0.95, 0.99].includes(known.quantile as number)) delete known.quantile;
  if (known.layout !== 'full' && known.layout !== 'compact') delete known.layout;
  return known;
}
