// Values from outside and their names in; the same values, known to be what they should, or an error that names the place, out.

/** Input that no judgement can rest on; `place` is a path such as `windows[3].cells[1].errors`. */
export class VerdictInputError extends Error {
  override readonly name = 'VerdictInputError';
  readonly place: string;
  private readonly expected: string;
  private readonly got: unknown;

  constructor(place: string, expected: string, got: unknown) {
    super(`Expected ${place} to be ${expected}, got ${shown(got)}`);
    this.place = place;
    this.expected = expected;
    this.got = got;
  }

  /** Returns the same error as seen from further out, where all that was checked is called `outer`. */
  within(outer: string): VerdictInputError {
    const path = this.place === '' || this.place.startsWith('[') ? this.place : `.${this.place}`;
    return new VerdictInputError(`${outer}${path}`, this.expected, this.got);
  }
}

/**
 * Checks each item of a list. A check names places as seen from the item, and only an error is told where that was: a run
 * has a million values that are right. Holes of a sparse array are items, too.
 */
export function each(
  items: readonly unknown[],
  name: string,
  check: (item: unknown, i: number) => void,
): void {
  let i = 0;
  try {
    for (; i < items.length; i++) check(items[i], i);
  } catch (error) {
    throw named(error, `${name}[${i}]`);
  }
}

/** Returns what was thrown, seen from further out if it is about a place. */
export function named(error: unknown, outer: string): unknown {
  return error instanceof VerdictInputError ? error.within(outer) : error;
}

/** @throws VerdictInputError always. */
export function wrong(place: string, expected: string, got: unknown): never {
  throw new VerdictInputError(place, expected, got);
}

/** Returns an object, whatever is in it. */
export function record(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(place, 'an object', value);
  return value as Readonly<Record<string, unknown>>;
}

/** Returns an array, whatever is in it. */
export function list(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) wrong(place, 'an array', value);
  return value;
}

/** Returns a string that says something. */
export function text(value: unknown, place: string): string {
  if (typeof value !== 'string' || value === '') wrong(place, 'a non-empty string', value);
  return value;
}

/** Returns a number of things. */
export function count(value: unknown, place: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    wrong(place, 'a whole number of at least 0', value);
  return value as number;
}

/** Checks an amount of something. */
export function amount(value: unknown, place: string): void {
  if (!isNumber(value) || value < 0) wrong(place, 'a number of at least 0', value);
}

/** Checks an amount that need not be known. */
export function optionalAmount(value: unknown, place: string): void {
  if (value !== undefined) amount(value, place);
}

/** Whether a value is a number that can be counted with. */
export function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
