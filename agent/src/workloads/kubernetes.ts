// In: a Kubernetes API server; out: a source that names the cgroups of this node's pods.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ApiError, listPods, resourceVersionOf, watchPods } from './kubernetes-api.ts';
import type { ApiAccess, WatchEvent } from './kubernetes-api.ts';
import { cgroupUidsOf, isOver, podCgroupOf, podSchema, workloadsOfPod } from './kubernetes-pod.ts';
import type { PodWorkloads } from './kubernetes-pod.ts';
import type { KubernetesConfig } from './schema.ts';
import { goneKeepsNameMs, type Source } from './source.ts';

export interface KubernetesOptions {
  readonly config: KubernetesConfig;
  /** The node's name in Kubernetes. */
  readonly nodeName: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly timeoutMs?: number;
  readonly firstPauseMs?: number;
}

interface Known extends PodWorkloads {
  /** When the pod went away; until then undefined. */
  readonly goneMs: number | undefined;
}

const leastWatchMs = 1000;
const longestPauseMs = 30_000;

/**
 * Returns Kubernetes as a source, or nothing where the agent is in no cluster. It lists once, and then watches; when
 * the API is away, what is known stays in force.
 */
export const createKubernetesSource = (options: KubernetesOptions): Source | undefined => {
  const { config, nodeName, log, now, timeoutMs = 30_000, firstPauseMs = 1000 } = options;
  if (config.enabled === false || config.server === undefined) return undefined;
  const { server, tokenFile, caFile } = config;
  const access: ApiAccess = { server, tokenFile, caFile, nodeName, timeoutMs };
  const knownByUid = new Map<string, Known>();
  let resourceVersion: string | undefined;
  let isUp: boolean | undefined;
  let hasExpired = false;
  let hasChanged = false;
  let errors = 0;
  let lastSuccessMs: number | undefined;
  let pauseMs = firstPauseMs;
  let tried = (): void => undefined;
  const firstTry = new Promise<void>((resolve) => {
    tried = resolve;
  });

  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        resourceVersion ??= await list(signal);
        await follow(resourceVersion, signal);
      } catch (error) {
        if (isAborted(signal)) break;
        fail(error);
        // Not all nodes at once when an API server comes back.
        const jitter = 0.5 + Math.random() / 2;
        await sleep(pauseMs * jitter, undefined, { signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      } finally {
        tried();
      }
    }
  };

  const list = async (signal: AbortSignal): Promise<string> => {
    const answer = await listPods(access, hasExpired ? '' : '0', signal);
    const seen = new Set(answer.items.flatMap(learn));
    for (const uid of knownByUid.keys()) if (!seen.has(uid)) leave(uid);
    succeed();
    tried();
    return answer.resourceVersion;
  };

  const follow = async (since: string, signal: AbortSignal): Promise<void> => {
    const startedMs = now();
    let events = 0;
    for await (const event of watchPods(access, since, signal, succeed)) {
      events += 1;
      succeed();
      hasExpired = false;
      pauseMs = firstPauseMs;
      resourceVersion = resourceVersionOf(event.object) ?? resourceVersion;
      apply(event);
    }
    // Asking again at once would be a request without a pause for ever.
    if (events === 0 && now() - startedMs < leastWatchMs)
      throw new Error('Expected a watch that lasts minutes, got one that ended at once');
  };

  const apply = ({ type, object }: WatchEvent): void => {
    if (type === 'BOOKMARK') return;
    const uids = learn(object);
    if (type === 'DELETED') uids.forEach(leave);
  };

  /** Returns the uids under which the pod is known now: none if it is over, or no pod. */
  const learn = (object: unknown): readonly string[] => {
    const { data: pod } = podSchema.safeParse(object);
    if (pod === undefined) {
      errors += 1;
      return [];
    }
    const uids = cgroupUidsOf(pod);
    if (isOver(pod)) {
      uids.forEach(leave);
      return [];
    }
    const workloads = workloadsOfPod(pod, config);
    for (const uid of uids) knownByUid.set(uid, { ...workloads, goneMs: undefined });
    hasChanged = true;
    return uids;
  };

  const leave = (uid: string): void => {
    const known = knownByUid.get(uid);
    if (known !== undefined && known.goneMs === undefined) knownByUid.set(uid, { ...known, goneMs: now() });
  };

  const forget = (): void => {
    for (const [uid, { goneMs }] of knownByUid) {
      if (goneMs !== undefined && now() - goneMs > goneKeepsNameMs) hasChanged = knownByUid.delete(uid);
    }
  };

  const succeed = (): void => {
    lastSuccessMs = now();
    if (isUp !== true) log.info({ server, nodeName, pods: knownByUid.size }, 'Kubernetes answers');
    isUp = true;
  };

  const fail = (error: unknown): void => {
    if (error instanceof ApiError && error.status === 410) {
      // No fault: the server has forgotten what was then, so the next list starts anew.
      resourceVersion = undefined;
      hasExpired = true;
      return;
    }
    errors += 1;
    if (isUp !== false) {
      const remedy = remedyOf(error);
      log.warn(
        { server, err: error, ...(remedy !== undefined && { remedy }) },
        'Kubernetes gives no usable answer, what is known stays in force',
      );
    }
    isUp = false;
  };

  return {
    name: 'kubernetes',
    run,
    workloadAt: (path) => {
      const cgroup = podCgroupOf(path);
      const known = cgroup && knownByUid.get(cgroup.podUid);
      return known?.byContainerId.get(cgroup?.containerId ?? '') ?? known?.otherwise;
    },
    refresh: async () => {
      await firstTry;
      forget();
      const changed = hasChanged;
      hasChanged = false;
      return changed;
    },
    state: () => ({
      name: 'kubernetes',
      up: isUp === true,
      errors,
      ...(lastSuccessMs !== undefined && { lastSuccessMs }),
    }),
  };
};

const remedyOf = (error: unknown): string | undefined => {
  if (!(error instanceof ApiError)) return undefined;
  if (error.status === 401) return 'the token is not accepted: it is read again for the next try';
  if (error.status === 403)
    return 'give the service account get, list and watch on pods (deploy/kubernetes has the ClusterRole)';
  return undefined;
};

/** A function of its own, so that the compiler does not believe the answer from before an await. */
const isAborted = (signal: AbortSignal) => signal.aborted;
