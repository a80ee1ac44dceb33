// In: names of Debian packages and a suite. Out: a directory in the cache that holds their files, never installed.
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const cacheFolder = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'plumbline',
  'kernels',
);

/** The apt of one Debian suite, with lists and sources of its own: the machine's are left alone. */
export interface Suite {
  /** Unpacks a package, and all that it depends on, or of a kernel what it consists of; once, then from the cache. */
  readonly unpack: (packageName: string, options?: { readonly alone?: boolean }) => Promise<string>;
}

const timeoutMs = 300_000;

/** @param mirror gives the address of a Debian archive; asked only when something is to be downloaded */
export const openSuite = (name: string, mirror: () => Promise<string>): Suite => {
  const folder = join(cacheFolder, 'apt', name);
  const sources = join(folder, 'sources.list');
  const settings = [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${folder}/lists`,
    'Dir::State::status=/dev/null',
    `Dir::Cache=${folder}/cache`,
    'APT::Architecture=amd64',
    'APT::Architectures=amd64',
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::Retries=2',
    'Debug::NoLocking=true',
  ].flatMap((setting) => ['-o', setting]);

  const apt = async (command: 'apt-get' | 'apt-cache', args: readonly string[], cwd?: string) => {
    const result = await execa(command, [...settings, ...args], {
      reject: false,
      timeout: timeoutMs,
      ...(cwd !== undefined && { cwd }),
    });
    if (!result.failed) return result.stdout;
    const reason = /^E: .*$/m.exec(result.stderr)?.[0] ?? result.shortMessage;
    throw new Error(`download from ${name} failed: ${reason}`);
  };

  let updated: Promise<unknown> | undefined;
  const update = () =>
    (updated ??= (async () => {
      for (const part of ['lists/partial', 'cache/archives/partial'])
        await mkdir(join(folder, part), { recursive: true });
      await writeFile(sources, `deb ${await mirror()} ${name} main\n`);
      await apt('apt-get', ['update', '-qq']);
    })());

  /** With the packages of a kernel that it stands for today: linux-image-cloud-amd64, linux-image-6.1.0-50-cloud-amd64. */
  const withKernel = async (packageName: string): Promise<readonly string[]> => {
    const depends = await apt('apt-cache', ['depends', '--important', packageName]);
    const parts = [...depends.matchAll(/Depends: (linux-(?:image|binary|modules)-\d\S+)/g)];
    return [packageName, ...(await Promise.all(parts.map(([, part = '']) => withKernel(part)))).flat()];
  };

  const download = async (packageName: string, alone: boolean, into: string): Promise<void> => {
    if (alone) await apt('apt-get', ['download', '-qq', ...(await withKernel(packageName))], into);
    else {
      const install = ['install', '-qq', '-y', '--no-install-recommends', '--download-only'];
      await mkdir(join(into, 'partial'));
      await apt('apt-get', ['-o', `Dir::Cache::archives=${into}`, ...install, packageName]);
    }
  };

  const unpack = async (packageName: string, alone: boolean): Promise<string> => {
    const target = join(cacheFolder, name, packageName);
    if (existsSync(target)) return target;
    await update();
    const unfinished = `${target}.unfinished`;
    const packages = join(unfinished, 'packages');
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(packages, { recursive: true });
    await download(packageName, alone, packages);
    const files = (await readdir(packages)).filter((file) => file.endsWith('.deb'));
    for (const file of files) await execa('dpkg-deb', ['--extract', join(packages, file), unfinished]);
    const description = await apt('apt-cache', ['show', '--no-all-versions', packageName]);
    await writeFile(join(unfinished, 'version'), /^Version: (.*)$/m.exec(description)?.[1] ?? 'unknown');
    await rm(packages, { recursive: true });
    await rename(unfinished, target);
    return target;
  };

  // One after the other: apt's own lock is off, since it would be the whole machine's.
  let last: Promise<unknown> = Promise.resolve();
  return {
    unpack: (packageName, { alone = false } = {}) => {
      const next = last.catch(() => undefined).then(() => unpack(packageName, alone));
      last = next;
      return next;
    },
  };
};

/** The version of the package that was unpacked there. */
export const versionOf = (unpacked: string): Promise<string> => readFile(join(unpacked, 'version'), 'utf8');

/**
 * The Debian archive from which this machine installs its own packages.
 *
 * @throws Error with the remedy where it is not a Debian
 */
export const machineMirror = async (): Promise<string> => {
  const { stdout } = await execa('apt-get', ['indextargets', '--format', '$(REPO_URI) $(CODENAME)'], {
    reject: false,
  });
  const mirror = stdout
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .find((uri) => uri.endsWith('/debian/'));
  if (mirror === undefined)
    throw new Error('no Debian archive among the apt sources of this machine. Remedy: --mirror URL');
  return mirror;
};
