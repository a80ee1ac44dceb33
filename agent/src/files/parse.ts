// In: texts of cgroupfs and procfs. Out: the numbers in them, in the kernel's units. Pure.

/** The value of a key in a file of lines `key value`, such as cpu.stat; undefined if it is not there. */
export const valueOfKey = (text: string, key: string): number | undefined => {
  const start = text.startsWith(`${key} `) ? 0 : text.indexOf(`\n${key} `) + 1;
  if (start === 0 && !text.startsWith(`${key} `)) return undefined;
  return number(text.slice(start + key.length + 1).split('\n', 1)[0]);
};

/** A file that is one number, such as memory.current. */
export const singleValue = (text: string): number | undefined => number(text.trim());

/** Total stall time (us) of a pressure file (Documentation/accounting/psi.rst); `full` is missing in some. */
export const parsePressure = (text: string): { readonly some?: number; readonly full?: number } => {
  const total = (kind: string) => number(new RegExp(`^${kind} .*total=(\\d+)`, 'm').exec(text)?.[1]);
  const [some, full] = [total('some'), total('full')];
  return { ...(some !== undefined && { some }), ...(full !== undefined && { full }) };
};

/** Time (ticks of 10 ms) that the hypervisor took from all CPUs together, of /proc/stat (proc(5)). */
export const parseSteal = (text: string): number | undefined =>
  number(/^cpu +(?:\d+ +){7}(\d+)/.exec(text)?.[1]);

const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
