// Writes the dashboards as JSON: `npm run build:dashboards`.
import { writeFile } from 'node:fs/promises';
import prettier from 'prettier';
import { dashboards } from './dashboards.ts';

for (const [name, dashboard] of Object.entries(dashboards)) {
  const text = await prettier.format(JSON.stringify(dashboard), { parser: 'json', printWidth: 110 });
  await writeFile(new URL(`../dashboards/${name}.json`, import.meta.url), text);
}
