// In: a probe's text, and files of programs. Out: the text with its uprobes attached to those files. Pure.
import { parseBlocks, textOfBlock } from './compose.ts';

/** A library or program that functions can be traced in. */
export interface TracedFile {
  readonly path: string;
  /** Those that it has, of the ones that are of interest. */
  readonly functions: readonly string[];
}

/** In a probe's text, this library stands for all that have its functions; by hand, bpftrace finds the usual one. */
const placeholder = /^(u(?:ret)?probe):libssl:(\w+)$/;

/** Whether the probe looks into programs, and not only into the kernel. */
export const hasUprobes = (text: string): boolean => /^u(?:ret)?probe:/m.test(text);

/** Attaches each uprobe to each file that has its function; blocks that are attached to nothing then are left out. */
export const withTracedFiles = (text: string, files: readonly TracedFile[]): string => {
  if (!hasUprobes(text)) return text;
  return parseBlocks(text)
    .map(({ header, body }) => ({ header: attachPoints(header, files).join(',\n'), body }))
    .filter(({ header }) => header !== '')
    .map(textOfBlock)
    .join('\n');
};

const attachPoints = (header: string, files: readonly TracedFile[]): readonly string[] =>
  header.split(',').flatMap((point) => {
    const [, kind = '', name = ''] = placeholder.exec(point.trim()) ?? [];
    if (name === '') return [point.trim()];
    return files
      .filter(({ functions }) => functions.includes(name))
      .map(({ path }) => `${kind}:${path}:${name}`);
  });
