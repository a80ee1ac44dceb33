// In: the chart. Out: deploy/kubernetes/plumbline.yaml, for those without Helm; `npm run manifests` writes it.
import { execa } from 'execa';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { findHelm } from './helm.ts';

export const chart = new URL('helm/plumbline/', import.meta.url).pathname;
export const manifests = new URL('kubernetes/plumbline.yaml', import.meta.url).pathname;

/** The chart as `helm template` prints it. */
export const render = async (...args: readonly string[]): Promise<string> => {
  const namespace = ['--namespace', 'plumbline', '--kube-version', '1.30.0'];
  return (await execa(await findHelm(), ['template', 'plumbline', chart, ...namespace, ...args])).stdout;
};

/** A comment that says from which text of the chart the manifests are. */
export const header = async (): Promise<string> => {
  const hash = createHash('sha256');
  const files = (await readdir(chart, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);
  for (const file of files.sort()) hash.update(await readFile(file));
  return [
    '# The chart with its defaults: kubectl create namespace plumbline && kubectl apply -f plumbline.yaml',
    '# Written by `npm run manifests`; set the image to where you have it.',
    `# chart sha256:${hash.digest('hex')}`,
    '',
  ].join('\n');
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await writeFile(manifests, `${await header()}${await render()}\n`);
