// In: a configuration. Out: `plumbline judge --listen` as a user starts it.
import { execa } from 'execa';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plumbline } from './agent.ts';

export interface RunningJudge {
  readonly url: string;
  /** Everything that it has logged. */
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

/** Starts it on a free port; `files` are beside the configuration, in the folder that is its working directory. */
export const startJudge = async (
  yaml: string,
  args: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<RunningJudge> => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-judge-'));
  for (const [name, text] of Object.entries({ ...files, 'judge.yaml': `listen: 127.0.0.1:0\n${yaml}` }))
    await writeFile(join(folder, name), text);
  const child = execa(process.execPath, [plumbline, 'judge', '--listen', '--config', 'judge.yaml', ...args], {
    cwd: folder,
    reject: false,
    forceKillAfterDelay: 10_000,
  });
  let log = '';
  const listening = new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      const address = /"url":"(http[^"]+)"/.exec(log)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', () => {
      reject(new Error(`The judge ended: ${log}`));
    });
  });
  const url = await listening.catch(async (error: unknown) => {
    await rm(folder, { recursive: true });
    throw error;
  });
  return {
    url,
    log: () => log,
    stop: async () => {
      child.kill();
      await child;
      await rm(folder, { recursive: true });
    },
  };
};
