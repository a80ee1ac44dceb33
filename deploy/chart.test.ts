// The chart and the manifests made of it: what the API server takes, and what an agent needs and no more.
import { Ajv } from 'ajv';
import { execa } from 'execa';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../agent/src/config.ts';
import { findHelm } from './helm.ts';
import { chart, header, manifests, render } from './render.ts';

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}
interface Container {
  readonly securityContext: object;
  readonly volumeMounts: readonly object[];
}
type Fields = Readonly<Record<string, unknown>>;

const objectsOf = (text: string) =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as (KubernetesObject & Fields) | null)
    .filter((object) => object !== null);
const find = (objects: readonly (KubernetesObject & Fields)[], kind: string): Fields => {
  const found = objects.find((object) => object.kind === kind);
  if (found === undefined) throw new Error(`No ${kind}`);
  return found;
};
const plain = objectsOf(await readFile(manifests, 'utf8'));
const judge = objectsOf(await readFile(new URL('examples/judge.yaml', import.meta.url), 'utf8'));

describe('manifests', () => {
  test('are those of the chart as it is', async () => {
    expect(await readFile(manifests, 'utf8'), 'Remedy: npm run manifests').toContain(await header());
  });

  test('have the fields that Kubernetes knows, and no other, and so have those of the judge', async () => {
    await expectTypes([...plain, ...judge]);
  }, 60_000);

  test('may read pods, and nothing else', () => {
    expect(find(plain, 'ClusterRole').rules).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
    ]);
    expect(plain.filter(({ kind }) => kind.endsWith('Role'))).toHaveLength(1);
  });

  test('run with four capabilities, and write nowhere', () => {
    const daemonSet = find(plain, 'DaemonSet');
    expect(daemonSet).toMatchObject({
      spec: {
        template: {
          spec: {
            hostPID: true,
            containers: [
              {
                securityContext: {
                  privileged: false,
                  readOnlyRootFilesystem: true,
                  allowPrivilegeEscalation: false,
                  capabilities: { drop: ['ALL'], add: ['BPF', 'PERFMON', 'SETUID', 'SETGID'] },
                },
              },
            ],
          },
        },
      },
    });
    const text = JSON.stringify(daemonSet);
    expect(text).not.toContain('hostNetwork');
    const { volumeMounts } = (
      daemonSet as {
        spec: { template: { spec: { containers: [{ volumeMounts: { readOnly: boolean }[] }] } } };
      }
    ).spec.template.spec.containers[0];
    expect(volumeMounts.every(({ readOnly }) => readOnly)).toBe(true);
  });

  test('configure the agent in a way that it takes', () => {
    const { data } = find(plain, 'ConfigMap') as { data: Record<string, string> };
    const config = parseConfig(data['plumbline.yaml'] ?? '', 'plumbline.yaml');
    expect(config.listen).toEqual({ host: '0.0.0.0', port: 9736 });
  });
});

describe('values', async () => {
  const schema = JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8')) as {
    properties: object;
  };
  const text = await readFile(join(chart, 'values.yaml'), 'utf8');
  const defaults = parse(text) as Fields;
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(schema);

  test('are in the schema, each of them, with a default that it allows', () => {
    expect(validate(defaults), JSON.stringify(validate.errors)).toBe(true);
    expect(Object.keys(schema.properties).sort()).toEqual(['global', ...Object.keys(defaults)].sort());
  });

  test.each([
    ['an unknown one', { imgae: {} }],
    ['a configuration that is the chart’s to set', { config: { listen: '0.0.0.0:1' } }],
    ['a capability that nothing needs', { capabilities: ['SETUID', 'SETGID', 'NET_ADMIN'] }],
    ['no way to become another user', { capabilities: ['BPF', 'PERFMON'] }],
    ['probes that are no list', { config: { probes: 'tls' } }],
    ['root as the user who listens', { config: { user: 0 } }],
  ])('%s is refused', (_, values) => {
    expect(validate({ ...defaults, ...values })).toBe(false);
  });
});

/** Where there is none, CI fails; elsewhere what needs it is skipped. */
const helm = await findHelm().catch((error: unknown) => {
  if (process.env.CI === 'true') throw error;
  process.stderr.write(`Tests of the chart are skipped: ${String(error)}\n`);
  return undefined;
});

describe.skipIf(helm === undefined)('chart', () => {
  test('passes its linter', async () => {
    await execa(helm ?? '', ['lint', '--strict', chart]);
  });

  test('is what the manifests were made of', async () => {
    expect(plain).toEqual(objectsOf(await render()));
  });

  test('with the probe tls, has the capabilities that it takes, once each, and no mount more', async () => {
    const rights = ['--set', 'capabilities={BPF,PERFMON,SETUID,SETGID,SYS_PTRACE}'];
    const objects = objectsOf(await render('--set', 'config.probes={http,http2,tls}', ...rights));
    const containerOf = (some: typeof objects) =>
      (find(some, 'DaemonSet') as { spec: { template: { spec: { containers: [Container] } } } }).spec.template
        .spec.containers[0];
    const { securityContext, volumeMounts } = containerOf(objects);
    expect(securityContext).toMatchObject({
      privileged: false,
      capabilities: { add: ['BPF', 'PERFMON', 'SETUID', 'SETGID', 'SYS_PTRACE', 'SYS_ADMIN'] },
    });
    expect(securityContext).not.toHaveProperty('allowPrivilegeEscalation');
    expect(volumeMounts).toEqual(containerOf(plain).volumeMounts);
  });

  const everything = [
    ...['monitor.labels.release=prometheus', 'dashboards.create=true', 'prometheusRule.create=true'],
    'prometheusRule.nativeHistograms=true',
    ...['hostPaths.docker=/var/run/docker.sock', 'capabilities={BPF,PERFMON,SETUID,SETGID,SYS_ADMIN}'],
    ...['config.interval=2s', 'config.user=1234', 'port=9999', 'imagePullSecrets[0].name=mine'],
    ...['networkPolicy.from[0].podSelector.matchLabels.app=prometheus', 'labels.team=sre'],
    ...['webConfig.secretName=web', 'networkPolicy.apiServerCidrs={10.96.0.1/32,fd00::1/128}'],
    ...['monitor.tlsConfig.ca.secret.name=ca', 'monitor.tlsConfig.ca.secret.key=ca.crt'],
    ...['monitor.basicAuth.username.name=scraper', 'monitor.basicAuth.username.key=user'],
    ...['monitor.basicAuth.password.name=scraper', 'monitor.basicAuth.password.key=password'],
    ...['podAnnotations.a=b', 'priorityClass.create=false', 'priorityClass.name=high'],
  ].flatMap((value) => ['--set', value]);

  test('with everything on, and either monitor, is what Kubernetes takes', async () => {
    const renderWith = async (kind: string) =>
      objectsOf(await render(...everything, '--set', `monitor.kind=${kind}`));
    const renders = new Map([
      ['PodMonitor', await renderWith('PodMonitor')],
      ['ServiceMonitor', await renderWith('ServiceMonitor')],
    ]);
    await expectTypes([...renders.values()].flat());
    const groups = [...(await readGroups('rules.yaml')), ...(await readGroups('rules-native.yaml'))];
    const dashboards = await readdir(new URL('grafana/dashboards', import.meta.url));
    for (const [kind, objects] of renders) {
      const { data } = find(objects, 'ConfigMap') as { data: Record<string, string> };
      const config = parseConfig(data['plumbline.yaml'] ?? '', 'plumbline.yaml');
      expect(config).toMatchObject({ listen: { port: 9999 }, interval: 2000, user: 1234 });
      expect(find(objects, 'PrometheusRule').spec).toEqual({ groups });
      expect(objects.filter((object) => object.kind === 'ConfigMap')).toHaveLength(1 + dashboards.length);
      expect(find(objects, kind)).toMatchObject({ metadata: { labels: { release: 'prometheus' } } });
      expect(objects.filter((object) => object.kind === 'PriorityClass')).toEqual([]);
      expect(find(objects, 'NetworkPolicy')).toMatchObject({
        spec: {
          egress: [{ to: [{ ipBlock: { cidr: '10.96.0.1/32' } }, { ipBlock: { cidr: 'fd00::1/128' } }] }],
        },
      });
      // The API server refuses the one with the other.
      expect(JSON.stringify(find(objects, 'DaemonSet'))).not.toContain('allowPrivilegeEscalation');
    }
  }, 60_000);
});

describe.skipIf(helm === undefined)('webConfig', () => {
  const renderWith = async (...values: readonly string[]) => {
    const flags = ['webConfig.secretName=web', 'monitor.kind=PodMonitor', ...values];
    const objects = objectsOf(await render(...flags.flatMap((value) => ['--set', value])));
    const { spec } = find(objects, 'DaemonSet') as { spec: { template: { spec: PodSpec } } };
    const [container] = spec.template.spec.containers;
    const { podMetricsEndpoints } = find(objects, 'PodMonitor').spec as { podMetricsEndpoints: unknown[] };
    return { container, volumes: spec.template.spec.volumes, endpoint: podMetricsEndpoints[0] };
  };

  test('gives the agent its file, and has it asked over TLS by the kubelet and by Prometheus', async () => {
    const { container, volumes, endpoint } = await renderWith();
    expect(container).toMatchObject({
      args: [
        'agent',
        '--config=/etc/plumbline/plumbline.yaml',
        '--web.config.file=/etc/plumbline-web/web.yaml',
      ],
      startupProbe: { httpGet: { path: '/healthz', scheme: 'HTTPS' } },
      livenessProbe: { httpGet: { path: '/healthz', scheme: 'HTTPS' } },
      readinessProbe: { httpGet: { path: '/readyz', scheme: 'HTTPS' } },
    });
    expect(container?.volumeMounts).toContainEqual(
      expect.objectContaining({ name: 'web', mountPath: '/etc/plumbline-web' }),
    );
    // 0440: of root, and of the group of who listens.
    expect(volumes).toContainEqual({ name: 'web', secret: { secretName: 'web', defaultMode: 0o440 } });
    expect(endpoint).toMatchObject({ scheme: 'https' });
  });

  test('with passwords alone has it asked in clear text, and with client certificates by its port', async () => {
    const plainText = await renderWith('webConfig.tls=false');
    expect(plainText.container).toMatchObject({ readinessProbe: { httpGet: { scheme: 'HTTP' } } });
    expect(plainText.endpoint).not.toHaveProperty('scheme');
    const certificates = await renderWith('webConfig.clientCertificates=true');
    expect(certificates.container?.readinessProbe).toMatchObject({ tcpSocket: { port: 'metrics' } });
    expect(certificates.container?.readinessProbe).not.toHaveProperty('httpGet');
  });
});

test.skipIf(helm === undefined)('prometheusRule.runbookUrl is where each alert leads', async () => {
  const base = 'https://git.example/docs/runbooks.md';
  const flags = ['prometheusRule.create=true', `prometheusRule.runbookUrl=${base}`];
  const { groups } = find(
    objectsOf(await render(...flags.flatMap((value) => ['--set', value]))),
    'PrometheusRule',
  ).spec as { groups: { rules: { alert?: string; annotations?: object }[] }[] };
  for (const { alert, annotations } of groups.flatMap(({ rules }) => rules)) {
    if (alert === undefined) continue;
    expect(annotations).toMatchObject({ runbook_url: `${base}#${alert.toLowerCase()}` });
    expect(annotations).not.toHaveProperty('runbook');
  }
});

interface PodSpec {
  readonly containers: readonly { readonly volumeMounts: unknown; readonly readinessProbe: unknown }[];
  readonly volumes: unknown;
}

const readGroups = async (name: string) =>
  (
    parse(await readFile(new URL(`prometheus/${name}`, import.meta.url), 'utf8')) as {
      groups: readonly unknown[];
    }
  ).groups;

/** Has the compiler look at the objects as literals of Kubernetes' types, where a field too many is an error as well. */
async function expectTypes(objects: readonly (KubernetesObject & Fields)[]): Promise<void> {
  const folder = await mkdtemp(new URL('types-', import.meta.url).pathname);
  try {
    const lines = objects.map((object, index) => {
      const source = object.apiVersion.startsWith('monitoring.coreos.com/')
        ? '@kubernetes-models/prometheus-operator'
        : 'kubernetes-models';
      const type = `import('${source}/${object.apiVersion}/${object.kind}').I${object.kind}`;
      return `export const object${index}: ${type} = ${JSON.stringify(object)};`;
    });
    await writeFile(join(folder, 'objects.ts'), lines.join('\n'));
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--ignoreConfig'];
    const { failed, stdout } = await execa('npx', ['tsc', ...flags, join(folder, 'objects.ts')], {
      reject: false,
    });
    expect(failed, stdout).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
}
