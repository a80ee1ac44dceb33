// In: cgroup paths, and pods as the Kubernetes API has them; out: pod uids, container ids, and workloads.
import { z } from 'zod';
import type { KubernetesConfig } from './schema.ts';
import type { Workload } from './workload.ts';

const status = z.object({
  name: z.string(),
  containerID: z.string().nullish(),
  lastState: z.object({ terminated: z.object({ containerID: z.string().nullish() }).nullish() }).nullish(),
});
const container = z.object({ name: z.string(), restartPolicy: z.string().nullish() });
const labels = z.record(z.string(), z.string()).nullish();

/** A v1 Pod: only what its names come from. */
export const podSchema = z.object({
  metadata: z.object({
    uid: z.string().min(1),
    name: z.string().min(1),
    namespace: z.string().min(1),
    labels,
    annotations: labels,
    ownerReferences: z
      .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().nullish() }))
      .nullish(),
  }),
  spec: z.object({
    nodeName: z.string().nullish(),
    containers: z.array(container),
    initContainers: z.array(container).nullish(),
    ephemeralContainers: z.array(container).nullish(),
  }),
  status: z
    .object({
      phase: z.string().nullish(),
      containerStatuses: z.array(status).nullish(),
      initContainerStatuses: z.array(status).nullish(),
      ephemeralContainerStatuses: z.array(status).nullish(),
    })
    .nullish(),
});
export type Pod = z.output<typeof podSchema>;

/** A cgroup directly in that of a pod: what the runtime calls it holds the container's id. */
export interface PodCgroup {
  readonly podUid: string;
  readonly containerId: string | undefined;
}

// A uid is a UUID, with _ for - where systemd is the driver; that of a static pod is the hash of its file.
const uid = '([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})';
// The last form is containerd's where kubelet says systemd and containerd does not.
const inPod = new RegExp(`(?:/|-)pod${uid}(?:(?:\\.slice)?/([^/]+)|\\.slice:cri-containerd:([^/]+))$`);

/**
 * Returns the pod and the container whose own cgroup is exactly this, whatever lies above the pod:
 * `/kubepods/burstable/podUID/ID` (cgroupfs driver) or
 * `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID.slice/cri-containerd-ID.scope` (systemd driver;
 * `crio-` and `docker-` likewise).
 */
export const podCgroupOf = (path: string): PodCgroup | undefined => {
  const [, podUid, name, bareName] = inPod.exec(path) ?? [];
  const own = name ?? bareName;
  // CRI-O's monitor of a container is not the container.
  if (podUid === undefined || own === undefined || own.startsWith('crio-conmon-')) return undefined;
  return { podUid: podUid.replaceAll('_', '-'), containerId: /[0-9a-f]{64}/.exec(own)?.[0] };
};

/** The uids under which cgroups of a pod may be: a static pod's own is the hash of its file, not the API's. */
export const cgroupUidsOf = ({ metadata: { uid, annotations } }: Pod): readonly string[] => {
  const hash = annotations?.['kubernetes.io/config.hash'];
  return hash === undefined ? [uid] : [uid, hash];
};

/** Whether nothing of the pod runs any more; such pods may stay in the API for days. */
export const isOver = ({ status }: Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';

export interface PodWorkloads {
  readonly byContainerId: ReadonlyMap<string, Workload>;
  /** For a container that the kubelet has not reported yet; nothing where it might as well be a sidecar. */
  readonly otherwise: Workload | undefined;
}

/**
 * Names the containers of a pod. Those that are not the app count under a name of their own, `app/CONTAINER`: init
 * and ephemeral containers, sidecars that Kubernetes knows as such, and the configured ones. A mesh proxy answers
 * each request once more, and would double what a query for the app sees.
 */
export const workloadsOfPod = (
  pod: Pod,
  config: Pick<KubernetesConfig, 'labels' | 'sidecars'>,
): PodWorkloads => {
  const app: Workload = {
    namespace: pod.metadata.namespace,
    app: appOf(pod, config.labels.app),
    version: versionOf(pod, config.labels.version),
  };
  const apart = new Set(
    [...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])].map(({ name }) => name),
  );
  for (const { name } of pod.spec.containers) if (config.sidecars.includes(name)) apart.add(name);
  const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses } = pod.status ?? {};
  const statuses = [containerStatuses, initContainerStatuses, ephemeralContainerStatuses].flatMap(
    (list) => list ?? [],
  );
  const byContainerId = new Map(
    statuses.flatMap(({ name, containerID, lastState }) => {
      const workload = apart.has(name) ? { ...app, app: `${app.app}/${name}` } : app;
      // `containerd://ID`; of a restarted container also the one before, which may have last events.
      return [containerID, lastState?.terminated?.containerID].flatMap((id) =>
        id === undefined || id === null || id === '' ? [] : [[id.replace(/^.*:\/\//, ''), workload] as const],
      );
    }),
  );
  return { byContainerId, otherwise: apart.size === 0 ? app : undefined };
};

const versionLabels = [
  'app.kubernetes.io/version',
  'version',
  'rollouts-pod-template-hash',
  'pod-template-hash',
  // What StatefulSets and DaemonSets have in its place.
  'controller-revision-hash',
];

const versionOf = (pod: Pod, configured: readonly string[]): string =>
  firstLabel(pod, [...configured, ...versionLabels]) ?? 'unknown';

const appOf = (pod: Pod, configured: readonly string[]): string =>
  firstLabel(pod, [...configured, 'app.kubernetes.io/name', 'app']) ?? ownerNameOf(pod);

const firstLabel = ({ metadata: { labels } }: Pod, names: readonly string[]): string | undefined =>
  names.map((name) => labels?.[name]?.trim() ?? '').find((value) => value !== '');

/** The name of what a user made: the Deployment or Rollout, the CronJob, the StatefulSet, or the pod itself. */
const ownerNameOf = ({ metadata: { name, labels, ownerReferences }, spec: { nodeName } }: Pod): string => {
  const owner = ownerReferences?.find(({ controller }) => controller === true) ?? ownerReferences?.[0];
  if (owner === undefined) return name;
  switch (owner.kind) {
    // A static pod is owned by its node, whose name its own ends with.
    case 'Node':
      return withoutEnd(name, `-${nodeName ?? ''}`);
    case 'ReplicaSet': {
      const hash = labels?.['pod-template-hash'] ?? labels?.['rollouts-pod-template-hash'];
      return hash === undefined ? owner.name : withoutEnd(owner.name, `-${hash}`);
    }
    // A CronJob names its Jobs by the minute in which they are due.
    case 'Job':
      return owner.name.replace(/-\d{8,}$/, '');
    default:
      return owner.name;
  }
};

const withoutEnd = (text: string, end: string): string =>
  text.endsWith(end) && text.length > end.length ? text.slice(0, -end.length) : text;
