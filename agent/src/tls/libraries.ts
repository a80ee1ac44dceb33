// In: /proc. Out: the files in use, by whichever process, that have the functions of OpenSSL.
import { accessSync, constants, readFileSync, readdirSync, statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setImmediate as breathe } from 'node:timers/promises';
import type { TracedFile } from '../bpftrace/uprobes.ts';
import { functionsIn } from './elf.ts';

/** Those that bpf/tls.bt looks at; without the first two, a file is of no use. */
const functions = ['SSL_read', 'SSL_write', 'SSL_read_ex', 'SSL_write_ex', 'SSL_do_handshake'];

export interface Libraries {
  /** All that are in use now, by identity. Each is held open until it is forgotten, so that its path stays good. */
  readonly find: () => Promise<ReadonlyMap<string, TracedFile>>;
  /** Closes all others. */
  readonly forgetAllBut: (identities: ReadonlySet<string>) => Promise<void>;
}

interface Known {
  /** Undefined when the file has no such functions. */
  readonly handle: FileHandle | undefined;
  readonly functions: readonly string[];
}

export const createLibraries = (procFolder = '/proc'): Libraries => {
  const known = new Map<string, Known>();
  /** By process id. */
  const processes = new Map<string, { readonly looks: number; readonly identities: readonly string[] }>();

  const examine = async (path: string): Promise<Known> => {
    // What a container has put in a library's place may be a pipe.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await functionsIn(handle, functions).catch((): string[] => []);
    if (found.includes('SSL_read') && found.includes('SSL_write')) return { handle, functions: found };
    await handle.close();
    return { handle: undefined, functions: [] };
  };

  const identitiesOf = async (pid: string): Promise<readonly string[]> => {
    await breathe();
    const identities: string[] = [];
    for (const path of candidatesOf(`${procFolder}/${pid}`)) {
      const identity = identityOf(path);
      if (identity === undefined) continue; // The process is gone.
      const one = known.get(identity) ?? (await examine(path).catch(() => undefined));
      if (one === undefined) continue;
      known.set(identity, one);
      identities.push(identity);
    }
    return identities;
  };

  return {
    find: async () => {
      const found = new Map<string, TracedFile>();
      const pids = readdirSync(procFolder).filter((name) => /^\d+$/.test(name));
      for (const pid of pids) {
        const before = processes.get(pid) ?? { looks: 0, identities: [] };
        const identities = isDue(before.looks, Number(pid)) ? await identitiesOf(pid) : before.identities;
        processes.set(pid, { looks: before.looks + 1, identities });
        for (const identity of identities) {
          const { handle, functions: own } = known.get(identity) ?? {};
          // Through us, bpftrace gets at files in any container's tree, whether they still have a name there or not.
          const path = `${procFolder}/${process.pid}/fd/${handle?.fd}`;
          if (handle !== undefined && own !== undefined) found.set(identity, { path, functions: own });
        }
      }
      const living = new Set(pids);
      for (const pid of processes.keys()) if (!living.has(pid)) processes.delete(pid);
      const seen = new Set([...processes.values()].flatMap(({ identities }) => identities));
      for (const [identity, { handle }] of known)
        if (handle === undefined && !seen.has(identity)) known.delete(identity);
      return found;
    },
    forgetAllBut: async (identities) => {
      for (const [identity, { handle }] of known) {
        if (handle === undefined || identities.has(identity)) continue;
        known.delete(identity);
        await handle.close();
      }
    },
  };
};

/** Libraries are loaded when a process starts, or later: old ones are looked at by turns. */
const isDue = (looks: number, pid: number): boolean => looks < 4 || (looks + pid) % 8 === 0;

/** What a process may have such functions in: its program, and libraries whose names begin with libssl. */
const candidatesOf = (folder: string): readonly string[] => {
  try {
    const mapped = librariesIn(readFileSync(`${folder}/maps`, 'latin1'));
    return [`${folder}/exe`, ...mapped.map((one) => pathOf(one, folder))];
  } catch {
    return []; // It is gone.
  }
};

/**
 * A file in map_files stays there when its name is gone or another's, but only its process' user may look for it, and root
 * with all rights, which we need not have.
 */
const pathOf = ({ range, path }: MappedLibrary, folder: string): string => {
  const mapped = `${folder}/map_files/${range}`;
  try {
    accessSync(mapped);
    return mapped;
  } catch {
    return `${folder}/root${path}`;
  }
};

interface MappedLibrary {
  /** As map_files names it. */
  readonly range: string;
  /** Its name, as its process sees it. */
  readonly path: string;
}

/** Of /proc/PID/maps: where code of a library is whose name begins with libssl. Pure. */
export const librariesIn = (maps: string): readonly MappedLibrary[] =>
  [
    ...maps.matchAll(/^0*([0-9a-f]+)-0*([0-9a-f]+) r-x\S* \S+ \S+ \S+ +(\/.*\/libssl[^/\n]*\.so[^/\n]*)$/gm),
  ].map(([, from = '', to = '', path = '']) => ({ range: `${from}-${to}`, path }));

/**
 * The same for a file that containers share: on overlayfs each has a device of its own, but the numbers and times of the
 * file below it, and it is there that uprobes are attached. Undefined when it is gone.
 */
const identityOf = (path: string): string | undefined => {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(':');
  } catch {
    return undefined;
  }
};
