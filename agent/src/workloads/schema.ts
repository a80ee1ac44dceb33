// In: the `workloads` section of the configuration; out: the same with its defaults, or issues with path and reason.
import { z } from 'zod';
import { compileGlob, wrongReferences } from './glob.ts';
import type { Glob } from './glob.ts';

const text = z.string().min(1);

const rule = z.strictObject({
  /** A glob over the path of the workload's own cgroup, such as `shop.slice/web-*.service`; it covers what lies in it. */
  cgroup: text,
  /** Labels: text in which `$1` is the first capture of the glob. */
  namespace: text.default('host'),
  app: text,
  version: text,
});

const checkedRule = rule.superRefine((candidate, context) => {
  const { cgroup, ...labels } = candidate;
  const glob = tryGlob(cgroup);
  if (glob instanceof Error) {
    context.addIssue({ code: 'custom', path: ['cgroup'], message: glob.message, input: cgroup });
    return;
  }
  const expected =
    glob.captures === 0 ? 'no capture' : glob.captures === 1 ? '$1' : `$1 to $${glob.captures}`;
  for (const [label, template] of Object.entries(labels)) {
    if (wrongReferences(template, glob.captures).length === 0) continue;
    const message = `expected ${expected}, which is what ${cgroup} has ($$ is a dollar sign)`;
    context.addIssue({ code: 'custom', path: [label], message, input: template });
  }
});

const tryGlob = (cgroup: string): Glob | Error => {
  try {
    return compileGlob(cgroup);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new Error(reason.startsWith('Expected') ? reason : `Expected a glob, got ${cgroup}: ${reason}`);
  }
};

/** The API server as the kubelet tells it to each container. */
const serverOfCluster = (): string | undefined => {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = process.env;
  if (host === undefined || host === '') return undefined;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
};

const labelNames = z.array(text).default([]);

const docker = z.strictObject({
  /** `auto`: used when the socket is there, no complaint when it is not. */
  enabled: z.literal(['auto', true, false]).default('auto'),
  socket: z.string().startsWith('/').default('/var/run/docker.sock'),
  /** Container labels to look at before the usual ones. */
  labels: z.strictObject({ namespace: labelNames, app: labelNames, version: labelNames }).prefault({}),
});

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What runs beside the app in meshes and the like, and would answer each of its requests once more. */
const usualSidecars = [
  'istio-proxy',
  'linkerd-proxy',
  'envoy',
  'envoy-sidecar',
  'kuma-sidecar',
  'consul-dataplane',
  'queue-proxy',
  'daprd',
  'oauth2-proxy',
];

const kubernetes = z
  .strictObject({
    /** `auto`: used in a cluster; true: also where the cluster is told by `server`. */
    enabled: z.literal(['auto', true, false]).default('auto'),
    server: z.url({ protocol: /^https$/ }).optional(),
    tokenFile: z.string().startsWith('/').default(`${serviceAccount}/token`),
    caFile: z.string().startsWith('/').default(`${serviceAccount}/ca.crt`),
    /** Pod labels to look at before the usual ones. */
    labels: z.strictObject({ app: labelNames, version: labelNames }).prefault({}),
    /** Containers that are not the app: each counts as `app/CONTAINER`. */
    sidecars: z.array(text).default(usualSidecars),
  })
  .transform((section) => ({ ...section, server: section.server ?? serverOfCluster() }))
  .superRefine(({ enabled, server }, context) => {
    if (enabled === true && server === undefined) {
      const message = 'Expected https://HOST:PORT: this is no pod, so the API server must be told';
      context.addIssue({ code: 'custom', path: ['server'], message });
    }
  });

/** The `workloads` section; a reference to a capture that the rule's glob does not have is an issue. */
export const workloadsSchema = z
  .strictObject({
    static: z.array(checkedRule).default([]),
    kubernetes: kubernetes.prefault({}),
    docker: docker.prefault({}),
  })
  .prefault({});

export type WorkloadsConfig = z.output<typeof workloadsSchema>;
export type StaticRule = WorkloadsConfig['static'][number];
export type KubernetesConfig = WorkloadsConfig['kubernetes'];
export type DockerConfig = WorkloadsConfig['docker'];
