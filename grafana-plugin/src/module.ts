// What Grafana reads of the plugin.
import { PanelPlugin } from '@grafana/data';
import { CanaryPanel } from './CanaryPanel.tsx';
import type { CanaryOptions } from './options.ts';

export const plugin = new PanelPlugin<CanaryOptions>(CanaryPanel);
