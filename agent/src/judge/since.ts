// In: a time as people write it. Out: Unix seconds. Pure.

/** September 2001: a smaller number is a duration that lacks its unit. */
const leastUnixSeconds = 1e9;
const number = /^\d+(\.\d+)?$/;

/** Unix seconds from Unix seconds, an ISO time, or a duration back from now such as 30m; NaN from anything else. */
export const readSince = (text: string, now = Date.now() / 1000): number => {
  const [, count, unit = ''] = /^(\d+)([smh])$/.exec(text) ?? [];
  const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
  if (count !== undefined) return now - Number(count) * (seconds[unit] ?? NaN);
  if (!number.test(text)) return Date.parse(text) / 1000;
  return Number(text) >= leastUnixSeconds ? Number(text) : NaN;
};

/** What `readSince` reads, for whoever wrote something else. */
export const expectedSince = (text: string): string => {
  const hint = number.test(text) ? `; did you mean ${Number(text)}m?` : '';
  return `a duration such as 45s, 30m or 2h, an ISO time or Unix seconds${hint}`;
};
