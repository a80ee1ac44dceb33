// In: the Debian packages docker.io and busybox-static; out: a Docker daemon of the test's own, gone without a trace.
import { copyFile, lstat, mkdir, mkdtemp, readFile, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { findCgroupRoot } from '../../agent/src/workloads/workloads.ts';

/** A container that sleeps, and the id of the cgroup of its process, as the kernel knows it. */
export interface TestContainer {
  readonly containerId: string;
  readonly pid: number;
  readonly cgroupId: string;
}

export interface TestDocker {
  readonly socket: string;
  readonly cgroupRoot: string;
  /** Runs the client's command, and resolves to what it prints. */
  docker(args: readonly string[], cwd?: string): Promise<string>;
  run(image: string, flags?: readonly string[]): Promise<TestContainer>;
  restart(containerId: string): Promise<TestContainer>;
  remove(containerId: string): Promise<void>;
  start(): Promise<void>;
  /** Ends the daemon; its containers live on. */
  stop(): Promise<void>;
  dispose(): Promise<void>;
}

/** What this machine lacks for a daemon of one's own, each with its remedy. */
export const missingForDocker = async (): Promise<readonly string[]> => {
  const missing: string[] = [];
  if (process.getuid?.() !== 0) missing.push('root');
  if ((await cgroupRootOfThisMachine()) === undefined) missing.push('a cgroup v2 mount');
  for (const [command, debianPackage] of [
    ['dockerd', 'docker.io'],
    ['docker', 'docker.io'],
    ['busybox', 'busybox-static'],
  ] as const) {
    const { failed } = await execa('which', [command], { reject: false });
    if (failed) missing.push(`${command} (Debian package ${debianPackage})`);
  }
  return missing;
};

const cgroupRootOfThisMachine = async (): Promise<string | undefined> =>
  findCgroupRoot(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));

/** Starts a daemon with state, socket and cgroups of its own, and gives it the images of these names. */
export const createTestDocker = async (
  images: readonly string[],
  { storageDriver = 'vfs' }: { readonly storageDriver?: 'vfs' | 'overlay2' } = {},
): Promise<TestDocker> => {
  const directory = await mkdtemp(join(tmpdir(), 'plumbline-docker-'));
  const socket = join(directory, 'docker.sock');
  const cgroupParent = `/${basename(directory)}`;
  const cgroupRoot = (await cgroupRootOfThisMachine()) ?? '/sys/fs/cgroup';
  let daemon: ReturnType<typeof startDaemon> | undefined;

  const docker = async (args: readonly string[], cwd?: string): Promise<string> =>
    (await execa('docker', ['--host', `unix://${socket}`, ...args], cwd === undefined ? {} : { cwd })).stdout;

  const start = async (): Promise<void> => {
    daemon ??= startDaemon(directory, socket, cgroupParent, storageDriver);
    for (let tries = 0; ; tries += 1) {
      const { failed, stderr } = await execa('docker', ['--host', `unix://${socket}`, 'version'], {
        reject: false,
      });
      if (!failed) return;
      if (tries >= 100 || daemon.exitCode !== null) {
        throw new Error(`dockerd does not answer: ${stderr}\n${await logOf(directory)}`);
      }
      await setTimeout(200);
    }
  };

  const stop = async (): Promise<void> => {
    daemon?.kill('SIGTERM');
    await daemon;
    daemon = undefined;
  };

  const removeContainers = async (): Promise<void> => {
    await start();
    const containers = (await docker(['ps', '--all', '--quiet'])).split('\n').filter((id) => id !== '');
    if (containers.length > 0) await docker(['rm', '--force', ...containers]);
  };

  const dispose = async (): Promise<void> => {
    await removeContainers().catch(() => undefined);
    await stop();
    await unmountBelow(directory);
    await removeCgroups(cgroupParent);
    await rm(directory, { recursive: true, force: true });
  };

  try {
    await start();
    await importImages(directory, images, docker);
  } catch (error) {
    await dispose();
    throw error;
  }

  const inspect = async (containerId: string): Promise<TestContainer> => {
    const pid = Number(await docker(['inspect', '--format', '{{.State.Pid}}', containerId]));
    return { containerId, pid, cgroupId: await cgroupIdOf(pid, cgroupRoot) };
  };

  return {
    socket,
    cgroupRoot,
    docker,
    run: async (image, flags = []) => {
      const command = [image, '/bin/busybox', 'sleep', '600'];
      return inspect(await docker(['run', '--detach', '--network', 'host', ...flags, ...command]));
    },
    restart: async (containerId) => {
      await docker(['restart', '--time', '0', containerId]);
      return inspect(containerId);
    },
    remove: async (containerId) => {
      await docker(['rm', '--force', containerId]);
    },
    start,
    stop,
    dispose,
  };
};

// Without bridge and iptables it leaves the network of the machine alone; with live-restore its containers outlive it.
const startDaemon = (directory: string, socket: string, cgroupParent: string, storageDriver: string) =>
  execa(
    'dockerd',
    [
      ...['--host', `unix://${socket}`, '--pidfile', join(directory, 'docker.pid')],
      ...['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')],
      ...['--bridge=none', '--iptables=false', '--ip6tables=false', `--storage-driver=${storageDriver}`],
      ...['--live-restore', '--cgroup-parent', cgroupParent, '--exec-opt', 'native.cgroupdriver=cgroupfs'],
    ],
    {
      reject: false,
      forceKillAfterDelay: 15_000,
      stdout: 'ignore',
      stderr: { file: join(directory, 'dockerd.log') },
    },
  );

const logOf = (directory: string): Promise<string> =>
  readFile(join(directory, 'dockerd.log'), 'utf8').then((text) => text.slice(-2000), String);

const importImages = async (
  directory: string,
  images: readonly string[],
  docker: (args: readonly string[]) => Promise<string>,
): Promise<void> => {
  const { stdout: busybox } = await execa('which', ['busybox']);
  await mkdir(join(directory, 'image/bin'), { recursive: true });
  await copyFile(busybox, join(directory, 'image/bin/busybox'));
  const archive = join(directory, 'image.tar');
  await execa('tar', ['--create', '--file', archive, '--directory', join(directory, 'image'), '.']);
  for (const image of images) await docker(['import', archive, image]);
};

const cgroupIdOf = async (pid: number, cgroupRoot: string): Promise<string> => {
  const text = await readFile(`/proc/${pid}/cgroup`, 'utf8');
  const path = /^0::(.*)$/m.exec(text)?.[1] ?? '';
  return (await lstat(join(cgroupRoot, path), { bigint: true })).ino.toString();
};

const mountPoints = async (): Promise<readonly string[]> =>
  (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map((line) => line.split(' ')[4] ?? '');

// dockerd leaves the mount of its network namespace behind.
const unmountBelow = async (directory: string): Promise<void> => {
  const below = (await mountPoints()).filter((mountPoint) => mountPoint.startsWith(`${directory}/`));
  for (const mountPoint of below.reverse()) await execa('umount', [mountPoint], { reject: false });
};

// runc makes the parent in the v2 tree and, on a hybrid host, in each v1 hierarchy.
const removeCgroups = async (cgroupParent: string): Promise<void> => {
  for (const mountPoint of (await mountPoints()).filter((path) => path.startsWith('/sys/fs/cgroup'))) {
    await removeCgroup(join(mountPoint, cgroupParent));
  }
};

const removeCgroup = async (path: string): Promise<void> => {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(path, entry.name));
  await rmdir(path).catch(() => undefined);
};
