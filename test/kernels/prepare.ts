// In: what to download, or the cache of an earlier run. Out: the parts of guests, each made when first asked for.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Release } from './cells.ts';
import { writeBaseArchive, writeBpftraceArchive, writeModuleArchive } from './image.ts';
import { cacheFolder, machineMirror, openSuite, versionOf, type Suite } from './packages.ts';

export interface Part {
  /** A file, or a folder of unpacked packages. */
  readonly path: string;
  /** The Debian package's version. */
  readonly version: string;
}

/** Each throws with what could not be had, and again whenever it is asked for. */
export interface Supplies {
  readonly emulator: () => Promise<Part>;
  readonly kernel: (release: Release) => Promise<Part>;
  readonly moduleArchive: (release: Release) => Promise<Part>;
  /** A folder with all that this bpftrace consists of. */
  readonly bpftrace: (release: Release) => Promise<Part>;
  readonly bpftraceArchive: (release: Release) => Promise<Part>;
  /** What all guests have: busybox, Node, the agent and the tests. */
  readonly base: () => Promise<string>;
  readonly dispose: () => Promise<void>;
}

/** The emulator is trixie's: guests of newer kernels lock up or oops under bookworm's. */
const emulatorSuite = 'trixie';

export const prepare = async ({
  refresh,
  mirror,
}: {
  readonly refresh: boolean;
  readonly mirror?: string;
}): Promise<Supplies> => {
  if (refresh) await rm(cacheFolder, { recursive: true, force: true });
  const scratch = await mkdtemp(join(tmpdir(), 'plumbline-kernels-'));
  const suites = new Map<string, Suite>();
  const suite = (name: string): Suite => {
    const known = suites.get(name) ?? openSuite(name, () => Promise.resolve(mirror ?? machineMirror()));
    suites.set(name, known);
    return known;
  };
  const kernel = onceEach(async (release) => {
    const path = await suite(release.suite).unpack('linux-image-cloud-amd64', { alone: true });
    return { path, version: await versionOf(path) };
  });
  const busybox = async () => join(await suite(emulatorSuite).unpack('busybox-static'), 'usr/bin/busybox');
  const bpftrace = onceEach(async (release) => {
    const path = await suite(release.suite).unpack('bpftrace');
    return { path, version: await versionOf(path) };
  });

  return {
    emulator: once(async () => {
      const path = await suite(emulatorSuite).unpack('qemu-system-x86');
      return { path, version: await versionOf(path) };
    }),
    kernel: onceEach(async (release) => {
      const { path: unpacked, version } = await kernel(release);
      const image = (await readdir(unpacked, { recursive: true })).find((file) =>
        /(^|\/)vmlinuz[^/]*$/.test(file),
      );
      if (image === undefined) throw new Error(`no kernel image in ${unpacked}`);
      return { path: join(unpacked, image), version };
    }),
    moduleArchive: onceEach(async (release) => {
      const unpacked = await kernel(release);
      const path = join(scratch, `modules-${release.suite}.cpio`);
      await writeModuleArchive(unpacked.path, await busybox(), path);
      return { path, version: unpacked.version };
    }),
    bpftrace,
    bpftraceArchive: onceEach(async (release) => {
      const unpacked = await bpftrace(release);
      const path = join(scratch, `bpftrace-${release.suite}.cpio`);
      await writeBpftraceArchive(unpacked.path, await busybox(), path);
      return { path, version: unpacked.version };
    }),
    base: once(async () => {
      const path = join(scratch, 'base.cpio');
      await writeBaseArchive(await busybox(), path);
      return path;
    }),
    dispose: () => rm(scratch, { recursive: true }),
  };
};

/** Makes it when first asked; a failure is remembered too, for every cell that needs this part. */
const once = <Result>(make: () => Promise<Result>): (() => Promise<Result>) => {
  let made: Promise<Result> | undefined;
  return () => (made ??= make());
};

const onceEach = (make: (release: Release) => Promise<Part>): ((release: Release) => Promise<Part>) => {
  const made = new Map<string, Promise<Part>>();
  return (release) => {
    const part = made.get(release.suite) ?? make(release);
    made.set(release.suite, part);
    return part;
  };
};
