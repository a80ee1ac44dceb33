// In: a glob over cgroup paths and label templates such as `shop-$1`; out: a matcher with captures, expanded labels.
import picomatch from 'picomatch';

/** A compiled glob: `match` returns the captures of a path in order, or nothing when the path does not match. */
export interface Glob {
  readonly captures: number;
  match(path: string): readonly string[] | undefined;
}

/**
 * Compiles a glob over paths from the root of the cgroup tree; the leading slash may be left out. Each `*`, `**`,
 * `{a,b}` and `(a|b)` is a capture, counted by where it opens. Throws on unbalanced brackets and on a leading `!`:
 * a glob says which cgroups a rule is for, and "all but these" has no captures.
 */
export const compileGlob = (glob: string): Glob => {
  if (/^\/?!/.test(glob)) throw new Error(`Expected a glob that does not start with !, got ${glob}`);
  const pattern = glob.replace(/^\/+|\/+$/g, '');
  if (pattern === '') return { captures: 0, match: (path) => (path === '/' ? [] : undefined) };
  // Cgroup names may start with a dot, which says nothing in this tree.
  const regExp = picomatch.makeRe(pattern, { capture: true, dot: true, strictBrackets: true });
  return {
    captures: countCaptures(regExp),
    match: (path) =>
      regExp
        .exec(path.slice(1))
        ?.slice(1)
        .map((capture: string | undefined) => capture ?? ''),
  };
};

// With an empty alternative any expression matches '', and the result has a slot for each of its groups.
const countCaptures = (regExp: RegExp): number => (new RegExp(`${regExp.source}|`).exec('')?.length ?? 1) - 1;

const reference = /\$(\$|\d+|)/g;

/** Returns what in a template refers to no capture of a glob with so many of them: `$3`, `$0`, a lone `$`. */
export const wrongReferences = (template: string, captures: number): readonly string[] =>
  [...template.matchAll(reference)]
    .filter(([, name]) => name !== '$' && !(Number(name) >= 1 && Number(name) <= captures))
    .map(([text]) => text);

/** Returns a template with its captures filled in: `$1` the first one, `$$` a dollar sign. */
export const expand = (template: string, captures: readonly string[]): string =>
  template.replace(reference, (_, name: string) => (name === '$' ? '$' : (captures[Number(name) - 1] ?? '')));
