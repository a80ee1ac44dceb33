import type { PanelProps } from '@grafana/data';
import type { CanaryOptions } from './options.ts';

export function CanaryPanel({ width, height }: PanelProps<CanaryOptions>) {
  return <div style={{ width, height }}>Plumbline</div>;
}
