// Two short courses in; a small drawing of both out. The table beside it says the numbers.
import { useTheme2 } from '@grafana/ui';
import type { Sparkline as Courses } from '../model/model.ts';
import { armColors } from './tones.tsx';

export function Sparkline({
  courses,
  width,
  height,
}: {
  readonly courses: Courses;
  readonly width: number;
  readonly height: number;
}) {
  const colors = armColors(useTheme2());
  const { canary, baseline } = courses;
  const known = [...canary, ...baseline].filter((value) => value !== null);
  if (known.length < 2) return null;
  const [low, high] = [Math.min(...known, 0), Math.max(...known)];
  const path = (values: readonly (number | null)[]): string => {
    let isOn = false;
    return values
      .map((value, i) => {
        if (value === null) {
          isOn = false;
          return '';
        }
        const x = (i / Math.max(1, values.length - 1)) * width;
        const y = height - 1.5 - ((value - low) / (high - low || 1)) * (height - 3);
        const command = isOn ? 'L' : 'M';
        isOn = true;
        return `${command}${x.toFixed(1)} ${y.toFixed(1)}`;
      })
      .join('');
  };
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path d={path(baseline)} fill="none" stroke={colors.baseline} strokeWidth="1.5" strokeDasharray="4 2" />
      <path d={path(canary)} fill="none" stroke={colors.canary} strokeWidth="1.8" />
    </svg>
  );
}
