// In: a YAML file. Out: a whole, checked configuration; or an error that names key, expectation and finding.
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { parse } from 'yaml';
import { z } from 'zod';
import { defaultPeerPorts } from './peer-ports.ts';
import { probeNames } from './probe-names.ts';
import { workloadsSchema } from './workloads/schema.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const aDuration = 'expected a duration such as 500ms, 1s or 10m';
const anAddress = 'expected HOST:PORT, such as 127.0.0.1:9736 or [::1]:9736';

/** A duration such as 500ms, 1s, 10m; the value is in milliseconds. */
export const duration = (leastMs: number, mostMs: number) =>
  z
    .string(aDuration)
    .regex(/^\d+(ms|s|m|h)$/, aDuration)
    .transform((text) => Number.parseInt(text) * (unitMs[text.replace(/\d+/, '')] ?? NaN))
    .refine((ms) => ms >= leastMs && ms <= mostMs, `expected ${written(leastMs)} to ${written(mostMs)}`);

/** A duration in the longest unit of which it is a whole number. */
const written = (ms: number): string => {
  const [unit, size] = Object.entries(unitMs).findLast(([, size]) => ms > 0 && ms % size === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
};

/** HOST:PORT, as an object. */
export const listen = z
  .string(anAddress)
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:[\]]+):\d{1,5}$/, anAddress)
  .transform((text) => {
    const colon = text.lastIndexOf(':');
    return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
  })
  .refine(({ port }) => port <= 65535, 'expected a port up to 65535');

const shape = z.strictObject({
  /** In a pod, the downward API's spec.nodeName, since a pod has a host name of its own. */
  node: z
    .string()
    .min(1)
    .default(() => process.env.NODE_NAME ?? hostname()),
  listen: listen.prefault('127.0.0.1:9736'),
  interval: duration(100, 60_000).prefault('1s'),
  /** User and group of the process that listens; 0: root, in the same process that measures. */
  user: z.int().min(0).max(4_294_967_294).default(65_532),
  /** Names of the probes to load; by default all that need not be named. */
  probes: z.array(z.enum(probeNames)).min(1).optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  bpftrace: z
    .strictObject({
      path: z.string().min(1).default('bpftrace'),
      maxMapKeys: z.int().min(1024).max(1_048_576).default(16_384),
      quickStart: z.boolean().default(true),
    })
    .prefault({}),
  tcp: z
    .strictObject({
      /** 1 stands for the others in the probe. */
      peerPorts: z
        .array(z.int().min(2).max(65_535))
        .max(32)
        .default([...defaultPeerPorts]),
    })
    .prefault({}),
  budget: z
    .strictObject({
      cpuPercent: z.number().min(0.01).max(10_000).default(2),
      sampleInterval: duration(500, 3_600_000).prefault('30s'),
    })
    .prefault({}),
  series: z.strictObject({ retention: duration(1000, 86_400_000).prefault('10m') }).prefault({}),
  history: z
    .strictObject({
      length: duration(60_000, 3_600_000).prefault('15m'),
      /** Without it 5 s, or the interval if that is longer. */
      window: duration(1000, 60_000).optional(),
      maxMegabytes: z.int().min(1).max(1024).default(16),
    })
    .prefault({}),
  verdict: z.strictObject({ margin: duration(0, 60_000).prefault('15ms') }).prefault({}),
  workloads: workloadsSchema,
});

/** After the keys, and only if each of them can be read. */
const schema = shape.transform((config, context) => {
  const { interval, history } = config;
  const { window = Math.max(5000, interval) } = history;
  if (window < interval) {
    const message = `expected at least the interval, which is ${written(interval)}`;
    context.addIssue({ code: 'custom', path: ['history', 'window'], message });
  }
  return { ...config, history: { ...history, window } };
});

export type Config = z.output<typeof schema>;

/** A configuration that is wrong: the message has a line for each finding. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads and checks a configuration file; without one, the defaults.
 *
 * @throws ConfigError naming file, key, what was expected and what was got
 */
export const loadConfig = (file: string | undefined): Promise<Config> => loadYaml(schema, file);

/** As `loadConfig`, for a text; `source` stands for it in messages. */
export const parseConfig = (text: string, source: string): Config => parseYaml(schema, text, source);

/** As `loadConfig`, for any schema; what holds or is held by a path in `secrets` is not repeated in messages. */
export const loadYaml = async <Schema extends z.ZodType>(
  schema: Schema,
  file: string | undefined,
  secrets: readonly string[] = [],
): Promise<z.output<Schema>> => {
  if (file === undefined) return parseYaml(schema, '', 'defaults');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`${file}: cannot be read (${messageOf(cause)})`, { cause });
  }
  return parseYaml(schema, text, file, secrets);
};

const parseYaml = <Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  source: string,
  secrets: readonly string[] = [],
): z.output<Schema> => {
  let document: unknown;
  try {
    // Its warnings would show the line.
    document = parse(text, { logLevel: 'error' }) ?? {};
  } catch (cause) {
    const reason = messageOf(cause).split('\n')[0] ?? '';
    const place = /at line \d+, column \d+/.exec(reason)?.[0] ?? 'somewhere';
    throw new ConfigError(`${source}: not YAML: ${secrets.length === 0 ? reason : place}`, { cause });
  }
  const result = schema.safeParse(document, { error: inWords });
  if (result.success) return result.data;
  const findings = result.error.issues.map((issue) => {
    const path = issue.path.join('.');
    const expected = issue.message.replace(/^Invalid (input|option): /, '').replace(/, received .*$/, '');
    const got = issue.code === 'unrecognized_keys' ? '' : `, got ${found(document, issue.path, secrets)}`;
    return `  ${path || '(top)'}: ${expected}${got}`;
  });
  throw new ConfigError([`${source}: ${findings.length} wrong`, ...findings].join('\n'));
};

const kindsInWords: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** What zod says in terms of its own; what is undefined here, it says well. */
const inWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type': {
      const kind = kindsInWords[issue.expected];
      return kind === undefined ? undefined : `expected ${kind}`;
    }
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') return 'expected some, or leave out the key';
      return `expected at least ${issue.minimum}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${issue.origin === 'array' ? ' of them' : ''}`;
    case 'invalid_value':
      return `expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return issue.inst instanceof z.ZodObject ? unknownKeys(issue.keys, issue.inst) : undefined;
    default:
      return undefined;
  }
};

/** Names the keys that are known: what stands under the others may be anything, also what is to be kept secret. */
const unknownKeys = (keys: readonly string[], { shape }: z.ZodObject): string => {
  const wrong = keys.map((key) => `"${key}"`).join(', ');
  return `unknown ${wrong}, expected one of ${Object.keys(shape).join(', ')}`;
};

const found = (document: unknown, path: readonly PropertyKey[], secrets: readonly string[]): string => {
  const isSecret = secrets.some((secret) =>
    secret.split('.').every((key, index) => index >= path.length || path[index] === key),
  );
  return isSecret ? 'something else' : describe(valueAt(document, path));
};

const valueAt = (document: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    document,
  );

const describe = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));
