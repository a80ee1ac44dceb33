// In: a command line. Out: the process that has rights: it runs bpftrace and asks Docker for another one, which listens.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runGroup, untilAborted } from '../group.ts';
import { newMeasureState } from '../measure.ts';
import { privilegedHere, type Cost, type Plan } from '../privileged.ts';
import type { PlainLog } from '../log.ts';
import type { Downward, Upward } from './messages.ts';

/**
 * A heap may grow to twice of what was found alive before it is looked through again; these look when it has grown by a
 * third: an agent had rather take some CPU time than memory. The young generation has 2 MB instead of 16.
 */
const [frugalOld, frugalYoung] = ['--heap-growing-percent=33', '--max-semi-space-size=2'];
const dockerTimeoutMs = 4000;
const newsMs = 1000;
const killAfterMs = 10_000;

/**
 * Runs `plumbline` with these arguments in a second process, which gives up its rights before it reads its first
 * request, and does for it what takes rights. Neither outlives the other.
 *
 * This one opens no network socket, and does what it is told only once, before there is anybody who could have told the
 * other one. It imports little, since it stays as long as the other.
 *
 * @returns the exit status of the second process, which has said on stderr whatever there was to say
 */
export const runSplit = async (args: readonly string[], signal: AbortSignal): Promise<number> => {
  setFlagsFromString(frugalOld);
  const listener = fork(process.argv[1] ?? '', args, {
    execArgv: [...process.execArgv, frugalOld, frugalYoung],
    serialization: 'advanced',
    // A Ctrl-C in a terminal is for this process, which then ends the other in order.
    detached: true,
  });
  const ended = once(listener, 'exit').then(() => undefined);
  const plan = planOf(listener);

  await runGroup(
    [
      async (stop) => {
        const planned = await Promise.race([plan, ended, untilAborted(stop)]);
        if (planned !== undefined) await serve(listener, planned, stop);
      },
      async (stop) => {
        await Promise.race([ended, untilAborted(stop)]);
        if (listener.connected) listener.disconnect();
        await Promise.race([ended, sleep(killAfterMs, undefined, { ref: false })]);
        // Without CAP_KILL, as in a container, another user's process is beyond us; it ends with the container.
        listener.on('error', () => undefined).kill('SIGKILL');
      },
    ],
    signal,
  );
  listener.unref();
  const { exitCode, signalCode } = listener;
  if (signalCode !== null)
    process.stderr.write(`plumbline: the process that listens was ended by ${signalCode}\n`);
  return exitCode ?? 1;
};

/** The first plan; there is no second one. */
const planOf = (listener: ChildProcess): Promise<Plan> =>
  new Promise((resolve) => {
    listener.on('message', (message: Upward) => {
      if (message.kind === 'plan') resolve(message.plan);
    });
  });

const serve = async (listener: ChildProcess, plan: Plan, signal: AbortSignal): Promise<void> => {
  const state = newMeasureState();
  const { send, sendUnlessFull } = senderTo(listener);
  answerRequests(listener, plan.dockerSocket, send);
  const tell = (level: keyof PlainLog) => (fields: object, text: string) => {
    send({ kind: 'log', level, fields, text });
  };
  const log = { info: tell('info'), warn: tell('warn'), error: tell('error') };

  await runGroup(
    [
      (stop) =>
        privilegedHere.measure(plan, {
          log,
          signal: stop,
          state,
          onSnapshot: (snapshot) => {
            const sendIt = snapshot.isTurn === true ? send : sendUnlessFull;
            sendIt({ kind: 'news', state, cost: ownCost(), snapshot });
          },
        }),
      async (stop) => {
        while (!stop.aborted) {
          sendUnlessFull({ kind: 'news', state, cost: ownCost(), snapshot: undefined });
          await sleep(newsMs, undefined, { signal: stop }).catch(() => undefined);
        }
      },
    ],
    signal,
  );
};

/**
 * News hold totals, so those that find the pipe still full from before are left out, and the next have all of it: a
 * listener that stands still costs no memory here.
 */
const senderTo = (listener: ChildProcess) => {
  let isFull = false;
  const send = (message: Downward, onSent: () => void = () => undefined): void => {
    if (listener.connected) listener.send(message, onSent);
  };
  const sendUnlessFull = (message: Downward): void => {
    if (isFull) return;
    isFull = true;
    send(message, () => {
      isFull = false;
    });
  };
  return { send, sendUnlessFull };
};

/** Answers the one question that there is, one at a time. */
const answerRequests = (
  listener: ChildProcess,
  dockerSocket: string | undefined,
  send: (message: Downward) => void,
): void => {
  let isAsking = false;
  const answer = async (socket: string): Promise<Downward> => {
    try {
      return { kind: 'containers', answer: await privilegedHere.listContainers(socket, dockerTimeoutMs) };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
      return { kind: 'noContainers', message: error instanceof Error ? error.message : String(error), code };
    }
  };
  listener.on('message', (message: Upward) => {
    if (message.kind !== 'listContainers' || dockerSocket === undefined || isAsking) return;
    isAsking = true;
    void answer(dockerSocket).then((found) => {
      isAsking = false;
      send(found);
    });
  });
};

const ownCost = (): Cost => {
  const { user, system } = process.cpuUsage();
  const kilobytes = Number(/^RssAnon:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
  return { cpuSeconds: (user + system) / 1e6, residentBytes: kilobytes * 1024 };
};
