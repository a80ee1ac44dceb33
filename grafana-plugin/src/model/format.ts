// Numbers in; the short text that people read, with units and a true minus sign, out.
import type { Unit } from './model.ts';

/** What is written where nothing was measured. */
export const nothing = '–';

/** 0.213 → `+21.3 %`, and from eleven times on the factor: 25.3 → `×26.3`. */
export function formatRelative(relative: number | null): string {
  if (relative === null) return nothing;
  if (relative >= 9.995) return `×${formatCount(relative + 1)}`;
  return `${signed(relative, percentOf(Math.abs(relative)))} %`;
}

/** A difference of shares, 0.004 → `+0.40 pp` (percentage points); what is less than 0.005 pp is none. */
export function formatPoints(points: number | null): string {
  if (points === null) return nothing;
  return Math.abs(points) < 0.000_05 ? '0 pp' : `${signed(points, pointsOf(Math.abs(points)))} pp`;
}

/** Returns `value` in its unit, with three significant figures. */
export function formatValue(value: number | null, unit: Unit): string {
  if (value === null || !Number.isFinite(value)) return nothing;
  switch (unit) {
    case 'seconds':
      return formatSeconds(value);
    case 'share':
      return `${figures(100 * value, 2)} %`;
    case 'perSecond':
      return `${formatCount(value)}/s`;
    case 'perThousand':
      return `${figures(value, 2)} ‰`;
    case 'bytes':
      return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
    case 'number':
      return formatCount(value);
  }
}

/** 0.0034 → `3.40 ms`. */
export function formatSeconds(seconds: number): string {
  if (seconds === 0) return '0 ms';
  const [factor, unit] = seconds < 0.9995e-3 ? [1e6, 'µs'] : seconds < 0.9995 ? [1e3, 'ms'] : [1, 's'];
  return `${figures(seconds * factor, 3)} ${unit}`;
}

/** 48211 → `48.2k`. */
export function formatCount(count: number, digits = 3): string {
  if (count < 999.5) return Number.isInteger(count) ? String(count) : figures(count, count < 10 ? 2 : digits);
  return scaled(count, 1000, ['', 'k', 'M', 'G', 'T'], digits).replace(' ', '');
}

/** 250 → `about 4 min`. */
export function formatWait(seconds: number): string {
  if (seconds < 90) return `about ${Math.max(5, Math.ceil(seconds / 5) * 5)} s`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `about ${Math.round(seconds / 3600)} h`
    : `about ${Math.round(seconds / 86_400)} days`;
}

/** What is written as zero has no sign. */
function signed(value: number, written: string): string {
  if (Number(written) === 0) return written;
  return `${value < 0 ? '−' : '+'}${written}`;
}

/** `namespace/app version`; what nobody has given a name is `unknown`. */
export function formatCulprit(namespace: string, app: string, version: string): string {
  return app === 'unknown' ? app : `${namespace && `${namespace}/`}${app} ${version}`.trim();
}

/** Two figures, but nothing finer than a thousandth of a point. */
function pointsOf(points: number): string {
  return points < 0.000_1 ? (100 * points).toFixed(3) : figures(100 * points, 2);
}

function percentOf(relative: number): string {
  return relative >= 0.995 ? String(Math.round(100 * relative)) : (100 * relative).toFixed(1);
}

/** At most `digits` significant figures, and no exponent. */
function figures(value: number, digits: number): string {
  if (value === 0) return '0';
  const rounded = Math.abs(Number(value.toPrecision(digits)));
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(rounded)));
  return value.toFixed(Math.min(decimals, 4));
}

function scaled(value: number, base: number, units: readonly string[], digits = 3): string {
  let scale = 0;
  while (Math.abs(value) >= base - 0.5 && scale < units.length - 1) {
    value /= base;
    scale += 1;
  }
  return `${figures(value, digits)} ${units[scale] ?? ''}`;
}
