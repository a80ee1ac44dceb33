// In: a Docker socket; out: a source that names the cgroups of containers.
import type { Logger } from 'pino';
import { createBackoff } from './backoff.ts';
import { listContainers } from './docker-api.ts';
import { containerIdOf, containerSchema, workloadOfContainer } from './docker-container.ts';
import type { DockerConfig } from './schema.ts';
import { goneKeepsNameMs, type Source } from './source.ts';
import type { Workload } from './workload.ts';

export interface DockerOptions {
  readonly config: DockerConfig;
  readonly log: Logger;
  readonly now: () => number;
  /** How to ask Docker where this process may not. */
  readonly listContainers?: typeof listContainers;
  readonly timeoutMs?: number;
}

interface Known {
  readonly workload: Workload;
  readonly listedMs: number;
}

// A new container is looked up in the interval after at the latest, and dockerd is asked at most twice a second.
const betweenAnswersMs = 500;
const refreshMs = 30_000;
// More do not run on a node; checking millions of wrong ones, which fit into an answer, would take half a minute.
const mostContainers = 10_000;

/** Returns Docker as a source. It is `absent`, which is no fault, until a socket is seen or the configuration requires one. */
export const createDockerSource = (options: DockerOptions): Source => {
  const { config, log, now, timeoutMs = 5000, listContainers: list = listContainers } = options;
  const { socket, labels, enabled } = config;
  const knownById = new Map<string, Known>();
  const unlisted = createBackoff();
  const failures = createBackoff({ lastMs: 8000 });
  let status: 'absent' | 'up' | 'down' = 'absent';
  let errors = 0;
  let askedMs = -Infinity;
  let asking = false;
  let lastSuccessMs: number | undefined;

  const ask = async (): Promise<boolean> => {
    try {
      const answer = await list(socket, timeoutMs);
      if (!Array.isArray(answer)) throw new Error(`Expected a list of containers, got ${typeof answer}`);
      if (answer.length > mostContainers)
        throw new Error(`Expected at most ${mostContainers} containers, got more`);
      learn(answer);
      return true;
    } catch (error) {
      fail(error);
      return false;
    }
  };

  const learn = (answer: readonly unknown[]): void => {
    lastSuccessMs = now();
    for (const candidate of answer) {
      const container = containerSchema.safeParse(candidate);
      if (!container.success) {
        errors += 1;
        continue;
      }
      const workload = workloadOfContainer(container.data, labels);
      knownById.set(container.data.Id, { workload, listedMs: lastSuccessMs });
      unlisted.delete(container.data.Id);
    }
    for (const [id, { listedMs }] of knownById) {
      if (lastSuccessMs - listedMs > goneKeepsNameMs) knownById.delete(id);
    }
    unlisted.sweep(lastSuccessMs);
    failures.delete(socket);
    if (status !== 'up') log.info({ socket, containers: knownById.size }, 'Docker answers');
    status = 'up';
  };

  const fail = (error: unknown): void => {
    failures.failed(socket, now());
    if (enabled === 'auto' && status === 'absent' && isAbsent(error)) return;
    errors += 1;
    if (status !== 'down')
      log.warn({ socket, err: error }, 'Docker gives no usable answer, what is known stays in force');
    status = 'down';
  };

  const isDue = (paths: Iterable<string>): boolean => {
    const nowMs = now();
    if (!failures.isDue(socket, nowMs) || nowMs - askedMs < betweenAnswersMs) return false;
    const due = [...unknownContainers(paths)].filter((id) => unlisted.isDue(id, nowMs));
    // Noted before the answer, which takes those it lists off again.
    for (const id of due) unlisted.failed(id, nowMs);
    return due.length > 0 || status !== 'up' || nowMs - askedMs >= refreshMs;
  };

  const unknownContainers = (paths: Iterable<string>): ReadonlySet<string> => {
    const ids = new Set<string>();
    for (const path of paths) {
      const id = containerIdOf(path);
      if (id !== undefined && !knownById.has(id)) ids.add(id);
    }
    return ids;
  };

  return {
    name: 'docker',
    workloadAt: (path) => {
      const id = containerIdOf(path);
      return id === undefined ? undefined : knownById.get(id)?.workload;
    },
    refresh: async (paths) => {
      if (asking || !isDue(paths)) return false;
      asking = true;
      askedMs = now();
      const answered = await ask();
      asking = false;
      return answered;
    },
    state: () =>
      status === 'absent'
        ? undefined
        : {
            name: 'docker',
            up: status === 'up',
            errors,
            ...(lastSuccessMs !== undefined && { lastSuccessMs }),
          },
  };
};

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
