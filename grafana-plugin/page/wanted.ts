// The page's address in; what its user chose out, and back: an address can be sent to a colleague.
import type { Wanted } from './feed.ts';

const names = ['namespace', 'app', 'canary', 'baseline'] as const;

/** Returns what the query of an address asks for. */
export function wantedOf(search: string): Wanted {
  const query = new URLSearchParams(search);
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = query.get(name);
      return value === null || value === '' ? [] : [[name, value]];
    }),
  );
}

/** Returns the query that asks for it, with its question mark; empty for nothing. */
export function searchOf(wanted: Wanted): string {
  const query = new URLSearchParams({ ...wanted }).toString();
  return query === '' ? '' : `?${query}`;
}
