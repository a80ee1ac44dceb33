// In: a time as people write it. Out: Unix seconds. Pure.

/** Unix seconds from Unix seconds, an ISO time, or a duration back from now such as 30m; NaN from anything else. */
export const readSince = (text: string, now = Date.now() / 1000): number => {
  const [, count, unit = ''] = /^(\d+)([smh])$/.exec(text) ?? [];
  const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
  if (count !== undefined) return now - Number(count) * (seconds[unit] ?? NaN);
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
};
