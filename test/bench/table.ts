// In: cells. Out: tables in Markdown on stdout, and a word of what is going on on stderr.
export const print = (text = '') => process.stdout.write(`${text}\n`);
export const note = (text: string) => process.stderr.write(`bench: ${text} …\n`);
export const row = (...cells: readonly (string | number)[]) => {
  print(`| ${cells.join(' | ')} |`);
};
export const head = (...cells: readonly string[]) => {
  row(...cells);
  row(...cells.map(() => '---'));
};
