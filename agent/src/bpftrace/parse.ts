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

/**
 * Never throws: bpftrace may be killed in the middle of a line, and a newer one may print what we do not know.
 *
 * @param hasGenerations whether ids of cgroups have more than the inode in them, see `idsHaveGenerations`
 */
export const parseLine = (line: string, hasGenerations = false): Line => {
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
      return parseMap(message.data, line, hasGenerations);
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

const parseMap = (data: unknown, line: string, hasGenerations: boolean): Line => {
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
    const known = hasGenerations ? withoutGenerations(key) : key;
    values.set(known, (values.get(known) ?? 0) + number);
  }
  return { kind: 'map', name, values };
};

/** The ids are the only fields of a key that do not fit into 32 bits. */
const withoutGenerations = (key: string): string =>
  key.replace(/\d{10,}/g, (id) => BigInt.asUintN(32, BigInt(id)).toString());

const broken = (reason: string, line: string): Line => ({
  kind: 'broken',
  reason: `${reason}: "${line.slice(0, 80)}"`,
});

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
