// Builds what Grafana loads into dist/; with --host also the page that tests load it into; with --page nothing but the
// agent's page, into that package. Status 1 when it cannot.
import { rspack } from '@rspack/core';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { host, page, plugin } from '../.config/webpack/webpack.config.ts';

const has = (flag: string): boolean => process.argv.includes(flag);
const configurations = has('--page') ? [page] : has('--host') ? [plugin, host] : [plugin];
rspack(configurations, (error, stats) => {
  if (error ?? stats?.hasErrors()) {
    process.stderr.write(`${error?.stack ?? stats?.toString({ preset: 'errors-only' }) ?? ''}\n`);
    process.exitCode = 1;
    return;
  }
  process.stdout.write(`${stats?.toString({ preset: 'errors-warnings', assets: true }) ?? ''}\n`);
  if (has('--page')) void compress(page.output?.path ?? '');
});

/** The agent sends the page as it is on its disk: what is text is compressed there. */
async function compress(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/\.(js|css)$/.test(name)) continue;
    const compressed = gzipSync(await readFile(`${folder}/${name}`), { level: 9 });
    await writeFile(`${folder}/${name}.gz`, compressed);
    await rm(`${folder}/${name}`);
    process.stdout.write(`${name}.gz ${Math.round(compressed.length / 1000)} kB\n`);
  }
}
