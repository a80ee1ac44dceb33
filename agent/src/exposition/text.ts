// In: metric families. Out: the text of a scrape, Prometheus 0.0.4 or OpenMetrics 1.0.0.
//
// Written here and not by prom-client, which takes 4 s for the 52 MB of 1,250 versions; this takes 0.1 s.
import { setImmediate } from 'node:timers/promises';
import { classicBoundsSeconds, toClassic } from '../series/native.ts';
import type { Exposition, Family, Labels } from './families.ts';

/** Written at once, in about 1 ms: the event loop is never blocked for longer. */
const pieceLength = 256 * 1024;
const leEndings = [...classicBoundsSeconds.map(String), '+Inf'].map((bound) => `${bound}"} `);

/** Text 0.0.4, with `node` on every sample if there is one. */
export const createTextExposition = (families: readonly Family[], node?: string): Exposition => ({
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
  scrape: () =>
    inPieces(
      linesOf(families, node, ({ name, type }) => ({ family: name, sample: name, type })),
      '',
    ),
});

/** OpenMetrics 1.0.0: it names a counter without _total, and its samples with it. */
export const createOpenMetricsExposition = (families: readonly Family[], node: string): Exposition => ({
  contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  scrape: () =>
    inPieces(
      linesOf(families, node, ({ name, type }) => {
        if (type !== 'counter') return { family: name, sample: name, type };
        const family = name.replace(/_total$/, '');
        return { family, sample: `${family}_total`, type };
      }),
      '# EOF\n',
    ),
});

type Naming = (family: Family) => { readonly family: string; readonly sample: string; readonly type: string };

/** Texts hold UTF-8 as one character a byte: V8 joins and copies those several times faster. */
async function* inPieces(texts: Iterable<string>, end: string): AsyncIterable<Uint8Array> {
  let piece = '';
  for (const text of texts) {
    piece += text;
    if (piece.length < pieceLength) continue;
    yield Buffer.from(piece, 'latin1');
    piece = '';
    await setImmediate();
  }
  yield Buffer.from(piece + end, 'latin1');
}

function* linesOf(families: readonly Family[], node: string | undefined, naming: Naming): Iterable<string> {
  const nodeLabel = node === undefined ? '' : label('node', node);
  const join = (labels: Labels) => nodeLabel + labelsText(labels).slice(node === undefined ? 1 : 0);
  for (const family of families) {
    const names = naming(family);
    yield utf8(`# HELP ${names.family} ${escape(family.help)}\n# TYPE ${names.family} ${names.type}\n`);
    if (family.type === 'histogram') {
      for (const { labels, counts, sumSeconds } of family.samples())
        yield histogramLines(names.sample, join(labels), counts, sumSeconds);
    } else {
      for (const { labels, value } of family.samples())
        yield `${names.sample}{${join(labels)}} ${numberText(value)}\n`;
    }
  }
}

const histogramLines = (name: string, labels: string, counts: Float64Array, sumSeconds: number): string => {
  const { cumulative, total } = toClassic(counts);
  const beginning = `${name}_bucket{${labels},le="`;
  let lines = '';
  for (let index = 0; index < leEndings.length; index++)
    lines += `${beginning}${leEndings[index] ?? ''}${cumulative[index] ?? total}\n`;
  return `${lines}${name}_sum{${labels}} ${numberText(sumSeconds)}\n${name}_count{${labels}} ${total}\n`;
};

const labelsText = (labels: Labels): string => {
  let text = '';
  for (const name in labels) text += `,${label(name, labels[name] ?? '')}`;
  return text;
};

const label = (name: string, value: string): string =>
  `${name}="${utf8(escape(value).replace(/"/g, '\\"'))}"`;
const escape = (text: string): string => text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');

/** Each byte of the text's UTF-8 as one character. */
const utf8 = (text: string): string =>
  /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');

const numberText = (value: number): string => {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
};
