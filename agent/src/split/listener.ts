// In: the pipe from the process that has rights. Out: what that one does for this one; and no rights here.
import type { Logger } from 'pino';
import type { Snapshot } from '../bpftrace/run.ts';
import { untilAborted } from '../group.ts';
import type { Measuring } from '../measure.ts';
import type { Cost, Privileged } from '../privileged.ts';
import type { Downward, Upward } from './messages.ts';

/** The process that has rights, seen from the one that listens. */
export const privilegedThere = (log: Logger): Privileged => {
  let cost: Cost = { cpuSeconds: 0, residentBytes: 0 };
  let measuring: Pick<Measuring, 'state' | 'onSnapshot'> | undefined;
  let question: Question | undefined;

  const hear = (news: { state: object; snapshot: Snapshot | undefined }) => {
    if (measuring === undefined) return;
    Object.assign(measuring.state, news.state);
    if (news.snapshot !== undefined) measuring.onSnapshot(news.snapshot);
  };
  process.on('message', (message: Downward) => {
    switch (message.kind) {
      case 'news':
        ({ cost } = message);
        hear(message);
        return;
      case 'log':
        log[message.level](message.fields, message.text);
        return;
      case 'containers':
        question?.resolve(message.answer);
        return;
      case 'noContainers':
        question?.reject(Object.assign(new Error(message.message), { code: message.code }));
    }
  });

  return {
    measure: async (plan, { signal, ...rest }) => {
      measuring = rest;
      send({ kind: 'plan', plan });
      await untilAborted(signal);
      measuring = undefined;
    },
    // That process keeps the time, and uses the socket of the plan.
    listContainers: () =>
      new Promise((resolve, reject) => {
        question = { resolve, reject };
        send({ kind: 'listContainers' });
      }),
    cost: () => cost,
  };
};

interface Question {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

const send = (message: Upward): void => {
  if (process.connected) process.send?.(message);
};

/** Becomes this user and group, with no other group and no capability, for good; nothing if it is not root. */
export const giveUpRights = (id: number): void => {
  if (process.geteuid?.() !== 0 || id === 0) return;
  process.setgroups?.([]);
  process.setgid?.(id);
  process.setuid?.(id);
};
