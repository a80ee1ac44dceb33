// In: this repository, built, and unpacked Debian packages. Out: initramfs archives that a kernel boots into.
import { build } from 'esbuild';
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import ts from 'typescript';

const repository = new URL('../..', import.meta.url).pathname;
const libraryFolders = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu', 'usr/lib64', 'lib64'];

/** busybox, Node, the built agent and the guest's tests, as an archive at `target`. */
export const writeBaseArchive = async (busybox: string, target: string): Promise<void> =>
  writeArchive(busybox, target, async (root) => {
    await cp(busybox, join(root, 'bin/busybox'), { recursive: true });
    await cp(join(repository, 'test/kernels/inside/init.sh'), join(root, 'init'));
    await addNode(root);
    const project = join(root, 'plumbline');
    for (const path of ['package.json', 'agent', 'bpf', 'verdict/package.json', 'verdict/dist'])
      await copy(path, project, (file) => !/\/(src|node_modules)$|tsbuildinfo/.test(file));
    await addModules(project);
    for (const path of ['agent/src', 'demo', 'test/support', 'test/kernels/inside'])
      await transpile(path, project);
  });

/** One bpftrace with its libraries and their loader, as an archive at `target`. */
export const writeBpftraceArchive = async (
  unpacked: string,
  busybox: string,
  target: string,
): Promise<void> => {
  await writeArchive(busybox, target, async (root) => {
    const home = join(root, 'opt/bpftrace');
    await mkdir(home, { recursive: true });
    const program = join(unpacked, 'usr/bin/bpftrace');
    for (const file of [program, ...(await librariesOf(unpacked, program))])
      await cp(file, join(home, basename(file)), { dereference: true });
    await mkdir(join(root, 'usr/bin'), { recursive: true });
    const command = [`/opt/bpftrace/${basename(loaderIn(unpacked))}`, '--library-path', '/opt/bpftrace'];
    await writeScript(join(root, 'usr/bin/bpftrace'), [...command, '/opt/bpftrace/bpftrace']);
  });
};

/** The module for loop devices of an unpacked kernel, as /loop.ko in an archive at `target`. */
export const writeModuleArchive = async (unpacked: string, busybox: string, target: string): Promise<void> =>
  writeArchive(busybox, target, async (root) => {
    const module = (await readdir(unpacked, { recursive: true })).find((file) =>
      /\/drivers\/block\/loop\.ko(\.xz)?$/.test(file),
    );
    if (module === undefined) throw new Error(`no loop.ko in ${unpacked}`);
    const file = join(unpacked, module);
    const decompressed = file.endsWith('.xz')
      ? execa('xz', ['--decompress', '--stdout', file], { encoding: 'buffer' }).then(({ stdout }) => stdout)
      : readFile(file);
    await writeFile(join(root, 'loop.ko'), await decompressed);
  });

/** Writes a script at `file` that runs a program of an unpacked root on this machine. */
export const writeLauncher = (file: string, unpacked: string, program: string): Promise<void> =>
  writeScript(file, commandFor(unpacked, program));

/** The start of a command that runs a program of an unpacked root on this machine, whatever its own libc. */
export const commandFor = (unpacked: string, program: string): readonly string[] => [
  ...[loaderIn(unpacked), '--library-path', libraryPathOf(unpacked)],
  program,
];

const writeScript = (file: string, command: readonly string[]): Promise<void> =>
  writeFile(file, `#!/bin/sh\nexec ${command.join(' ')} "$@"\n`, { mode: 0o755 });

const loaderIn = (unpacked: string): string => {
  const found = libraryFolders
    .map((folder) => join(unpacked, folder, 'ld-linux-x86-64.so.2'))
    .find((file) => existsSync(file));
  if (found === undefined) throw new Error(`no dynamic loader in ${unpacked}`);
  return found;
};

const libraryPathOf = (unpacked: string): string =>
  libraryFolders.map((folder) => join(unpacked, folder)).join(':');

const librariesOf = async (unpacked: string, program: string): Promise<readonly string[]> => {
  const loader = loaderIn(unpacked);
  const { stdout } = await execa(loader, ['--library-path', libraryPathOf(unpacked), '--list', program]);
  return [loader, ...[...stdout.matchAll(/=> (\S+)/g)].map(([, file = '']) => file)];
};

/** The Node that runs this, at the places where it looks for its libraries. */
const addNode = async (root: string): Promise<void> => {
  const { stdout } = await execa('ldd', [process.execPath]);
  const libraries = [...stdout.matchAll(/(?:=> )?(\/\S+) \(/g)].map(([, file = '']) => file);
  for (const file of libraries) await cp(file, join(root, file), { dereference: true });
  await cp(process.execPath, join(root, 'usr/bin/node'), { dereference: true });
};

/** What the agent and the tests depend on, a file each: of 300 files, Node takes seconds of a guest's time to find most. */
const addModules = async (project: string): Promise<void> => {
  const { dependencies } = JSON.parse(await readFile(join(repository, 'agent/package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const names = [...Object.keys(dependencies).filter((name) => !name.startsWith('@plumbline')), 'ws'];
  for (const name of names) await bundle(name, join(project, 'node_modules', name));
  await mkdir(join(project, 'node_modules/@plumbline'), { recursive: true });
  for (const name of ['agent', 'verdict'])
    await symlink(`../../${name}`, join(project, 'node_modules/@plumbline', name));
};

/** Names of what a CommonJS module exports are known when it runs: so they are listed. */
const bundle = async (name: string, target: string): Promise<void> => {
  const entry = entries[name] ?? name;
  const exported = Object.keys((await import(entry)) as object).filter((key) => key !== 'module.exports');
  await build({
    stdin: { contents: `export { ${exported.join(', ')} } from '${entry}';`, resolveDir: repository },
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
    },
    outfile: join(target, 'index.js'),
  });
  const exports = { '.': './index.js', [entry.replace(name, '.')]: './index.js' };
  await writeFile(join(target, 'package.json'), JSON.stringify({ name, type: 'module', exports }));
};

/** Where the agent imports something else of a package than its main file. */
const entries: Readonly<Record<string, string>> = { protobufjs: 'protobufjs/minimal.js' };

/** TypeScript of the guest as JavaScript at the same place; whatever else lies there as it is. */
const transpile = async (path: string, project: string): Promise<void> => {
  for (const entry of await readdir(join(repository, path), { recursive: true, withFileTypes: true })) {
    const file = relative(repository, join(entry.parentPath, entry.name));
    if (!entry.isFile() || file.endsWith('.test.ts')) continue;
    if (!file.endsWith('.ts')) {
      await copy(file, project);
      continue;
    }
    const { outputText } = ts.transpileModule(await readFile(join(repository, file), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    const target = join(project, file.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, outputText);
  }
};

const copy = async (path: string, project: string, filter: (file: string) => boolean = () => true) => {
  await mkdir(dirname(join(project, path)), { recursive: true });
  await cp(join(repository, path), join(project, path), { recursive: true, dereference: true, filter });
};

const writeArchive = async (
  busybox: string,
  target: string,
  fill: (root: string) => Promise<void>,
): Promise<void> => {
  const root = await mkdtemp(join(tmpdir(), 'plumbline-initramfs-'));
  try {
    await mkdir(join(root, 'bin'));
    await fill(root);
    // Without the root itself: its mode would become that of the guest's.
    const archive = ['sh', '-c', 'find . -mindepth 1 | "$1" cpio -o -H newc > "$2"', 'sh', busybox, target];
    await execa(busybox, archive, { cwd: root });
  } finally {
    await rm(root, { recursive: true });
  }
};
