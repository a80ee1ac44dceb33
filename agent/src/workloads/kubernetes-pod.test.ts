import { describe, expect, it } from 'vitest';
import { cgroupUidsOf, isOver, podCgroupOf, podSchema, workloadsOfPod } from './kubernetes-pod.ts';
import { workloadsSchema } from './schema.ts';

const uid = '0f7b1c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d';
const systemdUid = uid.replaceAll('-', '_');
const hash = 'c0ffee'.padEnd(32, '0');
const id = 'f00dfacecafe'.padEnd(64, '0');
const config = workloadsSchema.parse({}).kubernetes;

describe('podCgroupOf', () => {
  const burstable = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${systemdUid}.slice`;
  it.each([
    ['containerd, systemd driver', `${burstable}/cri-containerd-${id}.scope`, id],
    ['CRI-O, systemd driver', `${burstable}/crio-${id}.scope`, id],
    ['Docker, systemd driver', `${burstable}/docker-${id}.scope`, id],
    ['a guaranteed pod', `/kubepods.slice/kubepods-pod${systemdUid}.slice/cri-containerd-${id}.scope`, id],
    ['cgroupfs driver', `/kubepods/burstable/pod${uid}/${id}`, id],
    ['cgroupfs driver, CRI-O', `/kubepods/besteffort/pod${uid}/crio-${id}`, id],
    ['cgroupfs driver, guaranteed', `/kubepods/pod${uid}/${id}`, id],
    [
      'kind: a node in a container',
      `/docker/${'a'.repeat(64)}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${systemdUid}.slice/cri-containerd-${id}.scope`,
      id,
    ],
    [
      'a kubelet that says systemd and a containerd that does not',
      `/system.slice/containerd.service/kubepods-burstable-pod${systemdUid}.slice:cri-containerd:${id}`,
      id,
    ],
    ['a runtime with other names', `/kubepods/pod${uid}/sandbox-1`, undefined],
  ])('recognises %s', (_, path, containerId) => {
    expect(podCgroupOf(path)).toEqual({ podUid: uid, containerId });
  });

  it('recognises a static pod, whose uid is a hash', () => {
    const path = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${hash}.slice/cri-containerd-${id}.scope`;
    expect(podCgroupOf(path)).toEqual({ podUid: hash, containerId: id });
  });

  it.each([
    ['the pod itself', burstable],
    ['a cgroup made inside the container', `${burstable}/crio-${id}.scope/container`],
    ['the monitor of CRI-O', `${burstable}/crio-conmon-${id}.scope`],
    ['a quality of service', '/kubepods.slice/kubepods-burstable.slice'],
    ['a container of Docker', `/docker/${id}`],
    ['a service', '/system.slice/podman.service/x'],
    ['the root', '/'],
  ])('passes over %s', (_, path) => {
    expect(podCgroupOf(path)).toBeUndefined();
  });
});

const pod = (overrides: { readonly metadata?: object; readonly spec?: object; readonly status?: object }) =>
  podSchema.parse({
    metadata: { uid, name: 'checkout-5d4f8-x2k', namespace: 'shop', ...overrides.metadata },
    spec: { nodeName: 'n1', containers: [{ name: 'web' }], ...overrides.spec },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'web', containerID: `containerd://${id}` }],
      ...overrides.status,
    },
  });
const nameOf = (overrides: Parameters<typeof pod>[0], labels: object = {}) =>
  workloadsOfPod(pod(overrides), {
    ...config,
    labels: { app: [], version: [], ...labels },
  }).byContainerId.get(id);

describe('workloadsOfPod', () => {
  it.each([
    [
      'version',
      { version: ['my.version'] },
      [
        'my.version',
        'app.kubernetes.io/version',
        'version',
        'rollouts-pod-template-hash',
        'pod-template-hash',
        'controller-revision-hash',
      ],
      'unknown',
    ],
    ['app', { app: ['my.app'] }, ['my.app', 'app.kubernetes.io/name', 'app'], 'checkout-5d4f8-x2k'],
  ] as const)(
    'takes the %s from the first label that is there and not blank',
    (key, configured, names, fallback) => {
      const all = names.map((name) => [name, `by ${name}`] as const);
      for (let first = 0; first < all.length; first += 1) {
        const labels = Object.fromEntries(
          all.map(([name, value], position) => [name, position < first ? ' ' : value] as const),
        );
        expect(nameOf({ metadata: { labels } }, configured)?.[key]).toBe(`by ${names[first] ?? ''}`);
      }
      expect(nameOf({ metadata: { labels: {} } }, configured)?.[key]).toBe(fallback);
      expect(nameOf({ metadata: { labels: null } }, configured)?.[key]).toBe(fallback);
    },
  );

  it.each([
    [
      'a Deployment',
      [{ kind: 'ReplicaSet', name: 'checkout-5d4f8', controller: true }],
      { 'pod-template-hash': '5d4f8' },
      'checkout',
    ],
    [
      'a Rollout',
      [{ kind: 'ReplicaSet', name: 'checkout-77c9d', controller: true }],
      { 'rollouts-pod-template-hash': '77c9d' },
      'checkout',
    ],
    ['a ReplicaSet of its own', [{ kind: 'ReplicaSet', name: 'checkout', controller: true }], {}, 'checkout'],
    ['a StatefulSet', [{ kind: 'StatefulSet', name: 'db', controller: true }], {}, 'db'],
    ['a CronJob', [{ kind: 'Job', name: 'report-29384756', controller: true }], {}, 'report'],
    ['a Job', [{ kind: 'Job', name: 'migrate-2024', controller: true }], {}, 'migrate-2024'],
    [
      'the controller among its owners',
      [
        { kind: 'A', name: 'a' },
        { kind: 'B', name: 'b', controller: true },
      ],
      {},
      'b',
    ],
    ['nobody', null, {}, 'checkout-5d4f8-x2k'],
  ])('names a pod of %s', (_, ownerReferences, labels, app) => {
    expect(nameOf({ metadata: { ownerReferences, labels } })).toMatchObject({ namespace: 'shop', app });
  });

  it('names a static pod by its file, and finds it by the hash of that', () => {
    const metadata = {
      name: 'kube-apiserver-n1',
      ownerReferences: [{ kind: 'Node', name: 'n1', controller: true }],
      annotations: { 'kubernetes.io/config.hash': hash },
    };
    expect(nameOf({ metadata })?.app).toBe('kube-apiserver');
    expect(cgroupUidsOf(pod({ metadata }))).toEqual([uid, hash]);
  });

  it('counts mesh proxies, native sidecars, init and debug containers apart', () => {
    const [proxy, init, native, debug] = ['1', '2', '3', '4'].map((digit) => digit.repeat(64));
    const { byContainerId, otherwise } = workloadsOfPod(
      pod({
        metadata: { labels: { app: 'checkout', version: 'v2' } },
        spec: {
          containers: [{ name: 'web' }, { name: 'istio-proxy' }],
          initContainers: [{ name: 'migrate' }, { name: 'logger', restartPolicy: 'Always' }],
          ephemeralContainers: [{ name: 'debugger-x' }],
        },
        status: {
          containerStatuses: [
            { name: 'web', containerID: `cri-o://${id}` },
            { name: 'istio-proxy', containerID: `cri-o://${proxy ?? ''}` },
          ],
          initContainerStatuses: [
            { name: 'migrate', containerID: `cri-o://${init ?? ''}` },
            { name: 'logger', containerID: `cri-o://${native ?? ''}` },
          ],
          ephemeralContainerStatuses: [{ name: 'debugger-x', containerID: `cri-o://${debug ?? ''}` }],
        },
      }),
      config,
    );
    expect([...byContainerId].map(([container, { app, version }]) => [container, app, version])).toEqual([
      [id, 'checkout', 'v2'],
      [proxy, 'checkout/istio-proxy', 'v2'],
      [init, 'checkout/migrate', 'v2'],
      [native, 'checkout/logger', 'v2'],
      [debug, 'checkout/debugger-x', 'v2'],
    ]);
    expect(otherwise).toBeUndefined();
  });

  it('names a container that is not reported yet where it can only be the app', () => {
    const { byContainerId, otherwise } = workloadsOfPod(
      pod({ metadata: { labels: { app: 'checkout' } }, status: { containerStatuses: null } }),
      config,
    );
    expect(byContainerId.size).toBe(0);
    expect(otherwise?.app).toBe('checkout');
  });

  it('knows the container before a restart, too', () => {
    const before = 'b'.repeat(64);
    const status = {
      containerStatuses: [
        {
          name: 'web',
          containerID: `containerd://${id}`,
          lastState: { terminated: { containerID: `containerd://${before}` } },
        },
      ],
    };
    expect([...workloadsOfPod(pod({ status }), config).byContainerId.keys()]).toEqual([id, before]);
  });

  it('says of a pod that has ended that it is over', () => {
    expect(
      ['Pending', 'Running', 'Unknown', 'Succeeded', 'Failed'].filter((phase) =>
        isOver(pod({ status: { phase } })),
      ),
    ).toEqual(['Succeeded', 'Failed']);
  });
});
