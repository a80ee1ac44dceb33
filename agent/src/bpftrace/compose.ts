// In: the text of probes (bpf/*.bt). Out: one bpftrace program, and what it asks of the kernel.

/** A probe body of the program, such as `tracepoint:sched:sched_switch { … }`. */
export interface Block {
  readonly header: string;
  readonly body: string;
}

/** A program that bpftrace loads: where it is attached, and the probe whose it is. */
export interface OwnedProgram {
  readonly probe: string;
  readonly attachPoint: string;
}

/** A tracepoint and the fields of it that a program reads through `args`. */
export interface TracepointUse {
  readonly category: string;
  readonly name: string;
  readonly fields: readonly string[];
}

/** Printed last at each interval: whoever reads the output knows by it that a snapshot is whole. */
export const tickMap = '@tick';

/** The same for a snapshot that was asked for, see `compose`. */
export const askedMap = '@asked';

/** A system call that nobody makes often, with an argument that nobody else gives, is how a program is asked. */
const askPoint = 'tracepoint:syscalls:sys_enter_getpriority';

/**
 * One program out of several probes: fragments in place of their `#include "…"` lines, one BEGIN, one END and
 * one interval for all. bpftrace runs blocks of the same event in no stated order, and a snapshot needs one.
 * A block that several probes include word for word is loaded once.
 *
 * @param sources text of each probe, as in bpf/NAME.bt
 * @param readFragment gives the text of an included file by its path, and throws if there is none
 * @param intervalMs time between two snapshots
 * @param token whoever asks for the priority of this process, which is none, gets a snapshot at once
 */
export const compose = (
  sources: readonly string[],
  readFragment: (path: string) => string,
  intervalMs: number,
  token?: number,
): string => {
  const blocks = distinct(sources.flatMap((source) => parseBlocks(expandIncludes(source, readFragment))));
  const bodiesOf = (isWanted: (header: string) => boolean) =>
    blocks.filter(({ header }) => isWanted(header)).map(({ body }) => body);
  const interval = intervalMs % 1000 === 0 ? `interval:s:${intervalMs / 1000}` : `interval:ms:${intervalMs}`;
  const readings = bodiesOf(isInterval).join('');
  const endWith = (map: string) => `\n  ${map} = count();\n  print(${map});\n`;
  const unlessAsked = `\n  if (args->who != ${token}) {\n    return;\n  }`;
  const merged: readonly Block[] = [
    { header: 'BEGIN', body: bodiesOf((header) => header === 'BEGIN').join('') },
    ...blocks.filter(({ header }) => !isShared(header)),
    { header: interval, body: readings + endWith(tickMap) },
    { header: askPoint, body: token === undefined ? '' : unlessAsked + readings + endWith(askedMap) },
    { header: 'END', body: bodiesOf((header) => header === 'END').join('') },
  ];
  return merged
    .filter(({ body }) => body.trim() !== '')
    .map(textOfBlock)
    .join('\n');
};

export const textOfBlock = ({ header, body }: Block): string => `${header}\n{${body}}\n`;

/**
 * Whose each program is that bpftrace loads for these probes, in its order. What several share is the first one's; the
 * one that is asked comes last.
 *
 * @param texts by name of the probe, their fragments in place
 */
export const ownedPrograms = (texts: Readonly<Record<string, string>>): readonly OwnedProgram[] => [
  ...distinct(
    Object.entries(texts).flatMap(([probe, text]) => parseBlocks(text).map((block) => ({ ...block, probe }))),
  )
    .filter(({ header }) => !isShared(header))
    .flatMap(({ probe, header }) => header.split(',').map((point) => ({ probe, attachPoint: point.trim() }))),
  { probe: 'handover', attachPoint: askPoint },
];

const distinct = <Some extends Block>(blocks: readonly Some[]): readonly Some[] => {
  const textOf = ({ header, body }: Block) => `${header}{${body.trim()}}`;
  const first = new Map(blocks.toReversed().map((block) => [textOf(block), block]));
  return blocks.filter((block) => first.get(textOf(block)) === block);
};

/** The tracepoints of a composed program with the fields that it uses, for the preflight. */
export const tracepointsOf = (program: string): readonly TracepointUse[] => {
  const fieldsByTracepoint = new Map<string, Set<string>>();
  for (const { header, body } of parseBlocks(program)) {
    const used = [...body.matchAll(/\bargs->(\w+)/g)].map(([, field = '']) => field);
    for (const [, tracepoint = ''] of header.matchAll(/tracepoint:(\w+:\w+)/g)) {
      const fields = fieldsByTracepoint.get(tracepoint) ?? new Set();
      for (const field of used) fields.add(field);
      fieldsByTracepoint.set(tracepoint, fields);
    }
  }
  return [...fieldsByTracepoint].map(([tracepoint, fields]) => {
    const [category = '', name = ''] = tracepoint.split(':');
    return { category, name, fields: [...fields].sort() };
  });
};

/**
 * The types of the kernel that a program looks into, by name. Those that `header` declares are not
 * among them: they are the same on every kernel.
 */
export const kernelTypesOf = (program: string, header: string): readonly string[] => {
  const code = withoutComments(program);
  const declared = new Set([...header.matchAll(/\bstruct (\w+) \{/g)].map(([, name]) => name));
  const used = [...code.matchAll(/\bstruct (\w+)/g)].map(([, name = '']) => name);
  if (/\bcurtask\b/.test(code)) used.push('task_struct');
  return [...new Set(used)].filter((name) => !declared.has(name)).sort();
};

const isInterval = (header: string) => header.startsWith('interval:');
const isShared = (header: string) => header === 'BEGIN' || header === 'END' || isInterval(header);

/** The text of a probe with its fragments in place. */
export const expandIncludes = (text: string, readFragment: (path: string) => string): string =>
  text.replace(/^([ \t]*)#include "(.+)"$/gm, (_line, indent: string, path: string) =>
    expandIncludes(readFragment(path), readFragment)
      .trimEnd()
      .replace(/^(?=.)/gm, indent),
  );

/** Comments go, since a brace in one would mislead; the probe's own file has them. Strings hold no brace. */
export const parseBlocks = (text: string): readonly Block[] => {
  const code = withoutComments(text).replace(/\n\s*\n/g, '\n');
  const blocks: Block[] = [];
  let position = 0;
  for (;;) {
    const open = code.indexOf('{', position);
    if (open === -1) break;
    const close = matchingBrace(code, open);
    blocks.push({
      header: code.slice(position, open).trim(),
      body: code.slice(open + 1, close),
    });
    position = close + 1;
  }
  const rest = code.slice(position).trim();
  if (rest !== '') throw new Error(`Expected a probe and its block, got "${rest.slice(0, 40)}"`);
  return blocks;
};

const withoutComments = (text: string): string => text.replace(/\/\*[^]*?\*\//g, '');

const matchingBrace = (code: string, open: number): number => {
  let depth = 0;
  for (let index = open; index < code.length; index++) {
    if (code[index] === '{') depth++;
    else if (code[index] === '}' && --depth === 0) return index;
  }
  throw new Error(`Expected a closing brace for "${code.slice(open, open + 40)}"`);
};
