// The chart and the manifests made of it: what the API server takes, and what an agent needs and no more.
import { Ajv } from 'ajv';
import { execa } from 'execa';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../agent/src/config.ts';
import { chart, header, manifests, render } from './render.ts';

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
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

describe('manifests', () => {
  test('are those of the chart as it is', async () => {
    expect(await readFile(manifests, 'utf8'), 'Remedy: npm run manifests').toContain(await header());
  });

  test('have the fields that Kubernetes knows, and no other', async () => {
    await expectTypes(plain);
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
    ['root as the user who listens', { config: { user: 0 } }],
  ])('%s is refused', (_, values) => {
    expect(validate({ ...defaults, ...values })).toBe(false);
  });
});

const hasHelm = !(await execa('helm', ['version'], { reject: false })).failed;

describe.skipIf(!hasHelm)(`chart${hasHelm ? '' : ' (missing: helm)'}`, () => {
  test('passes its linter', async () => {
    await execa('helm', ['lint', '--strict', chart]);
  });

  test('is what the manifests were made of', async () => {
    expect(plain).toEqual(objectsOf(await render()));
  });

  const everything = [
    ...['monitor.labels.release=prometheus', 'dashboards.create=true', 'prometheusRule.create=true'],
    'prometheusRule.nativeHistograms=true',
    ...['hostPaths.docker=/var/run/docker.sock', 'capabilities={BPF,PERFMON,SETUID,SETGID,SYS_ADMIN}'],
    ...['config.interval=2s', 'config.user=1234', 'port=9999', 'imagePullSecrets[0].name=mine'],
    ...['networkPolicy.from[0].podSelector.matchLabels.app=prometheus', 'labels.team=sre'],
    ...['podAnnotations.a=b', 'priorityClass.create=false', 'priorityClass.name=high'],
  ].flatMap((value) => ['--set', value]);

  test.each(['PodMonitor', 'ServiceMonitor'])(
    'with everything on and a %s, is what Kubernetes takes',
    async (kind) => {
      const objects = objectsOf(await render(...everything, '--set', `monitor.kind=${kind}`));
      await expectTypes(objects);
      const { data } = find(objects, 'ConfigMap') as { data: Record<string, string> };
      const config = parseConfig(data['plumbline.yaml'] ?? '', 'plumbline.yaml');
      expect(config).toMatchObject({ listen: { port: 9999 }, interval: 2000, user: 1234 });
      const groups = [...(await readGroups('rules.yaml')), ...(await readGroups('rules-native.yaml'))];
      expect(find(objects, 'PrometheusRule').spec).toEqual({ groups });
      const dashboards = await readdir(new URL('grafana/dashboards', import.meta.url));
      expect(objects.filter((object) => object.kind === 'ConfigMap')).toHaveLength(1 + dashboards.length);
      expect(find(objects, kind)).toMatchObject({ metadata: { labels: { release: 'prometheus' } } });
      expect(objects.filter((object) => object.kind === 'PriorityClass')).toEqual([]);
      // The API server refuses the one with the other.
      expect(JSON.stringify(find(objects, 'DaemonSet'))).not.toContain('allowPrivilegeEscalation');
    },
    60_000,
  );
});

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
