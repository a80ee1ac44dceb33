// In: a line of `bpftrace -f json`. Out: what it says. Pure.

/** Values of a map by key; the key of a map without one is the empty string. */
export type MapValues = ReadonlyMap<string, number>;

export type Line =
  | { readonly kind: 'map'; readonly name: string; readonly values: MapValues }
  | { readonly kind: 'attached' }
  | { readonly kind: 'lost'; readonly events: number }
  | { readonly kind: 'other' }
  | { readonly kind: 'broken'; readonly reason: string };

const other: Line = { kind: 'other' };

/** Never throws: bpftrace may be killed in the middle of a line, and a newer one may print what we do not know. */
export const parseLine = (line: string): Line => {
  if (line.trim() === '') return other;
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return broken('not JSON', line);
  }
  if (!isRecord(message)) return broken('not an object', line);
  switch (message.type) {
    case 'map':
      return parseMap(message.data, line);
    case 'attached_probes':
      return { kind: 'attached' };
    case 'lost_events': {
      const events = isRecord(message.data) ? Number(message.data.events) : NaN;
      return { kind: 'lost', events: Number.isFinite(events) ? events : 1 };
    }
    default:
      return typeof message.type === 'string' ? other : broken('no type', line);
  }
};

const parseMap = (data: unknown, line: string): Line => {
  if (!isRecord(data)) return broken('map without data', line);
  const [name, content] = Object.entries(data)[0] ?? [];
  if (name === undefined) return broken('map without a name', line);
  const entries = isRecord(content) ? Object.entries(content) : [['', content] as const];
  const values = new Map<string, number>();
  for (const [key, value] of entries) {
    // From bpftrace 0.24, integers that a double cannot hold come as strings.
    const number = typeof value === 'string' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number))
      return broken(`value of ${name} not a number`, line);
    values.set(key, number);
  }
  return { kind: 'map', name, values };
};

const broken = (reason: string, line: string): Line => ({
  kind: 'broken',
  reason: `${reason}: "${line.slice(0, 80)}"`,
});

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
