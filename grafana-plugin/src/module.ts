// What Grafana reads of the plugin.
import { PanelPlugin } from '@grafana/data';
import { CanaryPanel } from './CanaryPanel.tsx';
import { migrate } from './migrations.ts';
import { addOptions } from './options.ts';
import type { CanaryOptions } from './options.ts';
import { suggest } from './suggestions.ts';

export const plugin = new PanelPlugin<CanaryOptions>(CanaryPanel)
  .setPanelOptions(addOptions)
  .setMigrationHandler(migrate)
  .setSuggestionsSupplier(suggest);
