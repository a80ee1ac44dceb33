// In: Debian's mirror and npm's registry. Out: a base for the image where no registry of images can be reached.
import { execa } from 'execa';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const cacheFolder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'plumbline/image');

/** The version of Node in the base that the Dockerfile names. */
const nodeVersion = async (): Promise<string> => {
  const dockerfile = await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8');
  const version = /^ARG BASE=node:([\d.]+)-trixie-slim$/m.exec(dockerfile)?.[1];
  if (version === undefined)
    throw new Error('Expected node:VERSION-trixie-slim as the base in the Dockerfile');
  return version;
};

/** An archive of a file system with Debian 13 and that Node, as `docker import` takes it; kept for the next time. */
export const baseArchive = async (): Promise<string> => {
  const version = await nodeVersion();
  const archive = join(cacheFolder, `trixie-node-${version}.tar`);
  if (await stat(archive).catch(() => undefined)) return archive;
  await mkdir(cacheFolder, { recursive: true });
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-base-'));
  try {
    await makeBase(join(folder, 'root'), version);
    const partial = join(folder, 'base.tar');
    await execa('tar', [
      '--create',
      '--one-file-system',
      '--file',
      partial,
      '--directory',
      join(folder, 'root'),
      '.',
    ]);
    await execa('mv', [partial, `${archive}.part`]);
    await rename(`${archive}.part`, archive);
    return archive;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const makeBase = async (root: string, version: string): Promise<void> => {
  await execa('debootstrap', ['--variant=minbase', '--include=ca-certificates', 'trixie', root]);
  await rm(join(root, 'var/cache/apt/archives'), { recursive: true });
  // npm's package of Node's binary; npm itself is the one that is here.
  const node = join(root, 'usr/local/bin/node');
  const { stdout } = await execa('npm', [
    'exec',
    '--yes',
    `--package=node@${version}`,
    '--',
    'node',
    '-p',
    'process.execPath',
  ]);
  await copyFile(stdout.trim().split('\n').at(-1) ?? '', node);
  await execa('chmod', ['0755', node]);
  const npm = (await execa('npm', ['root', '--global'])).stdout.trim();
  await mkdir(join(root, 'usr/local/lib/node_modules'), { recursive: true });
  await execa('cp', ['--archive', join(npm, 'npm'), join(root, 'usr/local/lib/node_modules/npm')]);
  await execa('ln', ['-s', '../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm')]);
  // The build is to trust whom this machine trusts.
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  await copyFile(certificates, join(root, certificates));
  await writeFile(join(root, 'usr/local/lib/node_modules/npm/npmrc'), `cafile=${certificates}\n`);
};
