// In: the Accept header of a scrape. Out: whether it is answered in OpenMetrics or in text 0.0.4. Pure.

/** Quality of each media range, by its type without parameters; the version must be one we speak. */
interface Range {
  readonly type: string;
  readonly version: string | undefined;
  readonly quality: number;
}

/**
 * True when OpenMetrics 1.0.0 (or 0.0.1, which Prometheus 2 asks for as well) is wanted more than text. A client
 * that says nothing, or accepts everything, gets text 0.0.4.
 */
export const wantsOpenMetrics = (accept: string | undefined): boolean => {
  const ranges = (accept ?? '').split(',').map(parseRange);
  const best = (isMatch: (range: Range) => boolean) =>
    Math.max(0, ...ranges.filter(isMatch).map(({ quality }) => quality));
  const openMetrics = best(
    ({ type, version }) =>
      type === 'application/openmetrics-text' && ['1.0.0', '0.0.1', undefined].includes(version),
  );
  const text = best(
    ({ type, version }) => ['text/plain', 'text/*', '*/*'].includes(type) && (version ?? '0.0.4') === '0.0.4',
  );
  return openMetrics > 0 && openMetrics >= text;
};

const parseRange = (range: string): Range => {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const valueOf = (name: string) =>
    parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
  const quality = Number(valueOf('q') ?? 1);
  return { type, version: valueOf('version'), quality: Number.isFinite(quality) ? quality : 0 };
};
