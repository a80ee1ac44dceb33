// In: the package. Out: its version.
import { readFileSync } from 'node:fs';

const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');

export const packageVersion = (JSON.parse(file) as { readonly version: string }).version;
