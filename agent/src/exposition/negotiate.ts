// In: the Accept and Accept-Encoding headers of a request. Out: the format in which it is answered, and whether compressed. Pure.

export type Format = 'protobuf' | 'openMetrics' | 'text';

/** Quality of each media range, by its type; parameters must be ones we speak. */
interface Range {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** What each format is called, and the parameters that we speak; one that is not given may be anything. */
const formats: Readonly<
  Record<
    Format,
    { readonly types: readonly string[]; readonly spoken: Readonly<Record<string, readonly string[]>> }
  >
> = {
  protobuf: {
    types: ['application/vnd.google.protobuf'],
    spoken: { proto: ['io.prometheus.client.metricfamily'], encoding: ['delimited'] },
  },
  openMetrics: { types: ['application/openmetrics-text'], spoken: { version: ['1.0.0', '0.0.1'] } },
  text: { types: ['text/plain', 'text/*', '*/*'], spoken: { version: ['0.0.4'] } },
};

/**
 * The format with the highest quality; of equals the first of protobuf, OpenMetrics, text. A client that says nothing,
 * or accepts everything, gets text 0.0.4.
 */
export const negotiate = (accept: string | undefined): Format => {
  const ranges = (accept ?? '').split(',').map(parseRange);
  const qualityOf = (format: Format) =>
    Math.max(0, ...ranges.filter((range) => isMatch(range, format)).map(({ quality }) => quality));
  let best: Format = 'text';
  for (const format of ['openMetrics', 'protobuf'] as const)
    if (qualityOf(format) > 0 && qualityOf(format) >= qualityOf(best)) best = format;
  return best;
};

/** Whether the client takes gzip, as every Prometheus and every browser does. */
export const takesGzip = (acceptEncoding: string | string[] | undefined): boolean =>
  String(acceptEncoding ?? '')
    .split(',')
    .map(parseRange)
    .some(({ type, quality }) => (type === 'gzip' || type === 'x-gzip') && quality > 0);

const isMatch = ({ type, parameters }: Range, format: Format): boolean =>
  formats[format].types.includes(type) &&
  Object.entries(formats[format].spoken).every(([name, values]) => {
    const value = parameters.get(name);
    return value === undefined || values.includes(value);
  });

const parseRange = (range: string): Range => {
  const [type = '', ...rest] = range.split(';').map((part) => part.trim().toLowerCase());
  const parameters = new Map(
    rest.map((parameter) => {
      const [name = '', value = ''] = parameter.split('=').map((part) => part.trim());
      return [name, value.replace(/^"|"$/g, '')] as const;
    }),
  );
  const quality = Number(parameters.get('q') ?? 1);
  return { type, parameters, quality: Number.isFinite(quality) ? quality : 0 };
};
