// In: the pipe from `plumbline agent`. Out: all of the agent that needs no rights, until that process ends.
import { Command } from 'commander';
import { runAgent } from '../agent.ts';
import { loadConfig } from '../config.ts';
import { loadWebConfig, openWebConfig } from '../http/web-config.ts';
import { createLog } from '../log.ts';
import { giveUpRights, privilegedThere } from '../split/listener.ts';
import { untilSignal } from './signals.ts';

interface Options {
  readonly config?: string;
  readonly 'web.config.file'?: string;
}

export const listenCommand = (): Command =>
  new Command('listen')
    .description('Started by "plumbline agent".')
    .option('-c, --config <file>')
    .option('--web.config.file <file>')
    .action(async ({ config: file, 'web.config.file': webFile }: Options) => {
      if (process.send === undefined) throw new Error('"plumbline agent" starts this', { cause: 'no pipe' });
      const config = await loadConfig(file);
      const webConfig = webFile === undefined ? openWebConfig : await loadWebConfig(webFile);
      const log = createLog(config.logLevel);
      const parent = new AbortController();
      process.once('disconnect', () => {
        parent.abort();
      });
      const signal = AbortSignal.any([untilSignal(), parent.signal]);
      await runAgent(config, log, signal, {
        privileged: privilegedThere(log),
        webConfig,
        // As other servers do: what needs rights, such as a low port, is open by now, and no request has been read.
        onListening: () => {
          giveUpRights(config.user);
        },
      }).finally(() => {
        // The pipe would keep this process.
        if (process.connected) process.disconnect();
      });
    });
