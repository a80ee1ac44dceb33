import { afterEach, describe, expect, it, vi } from 'vitest';
import { workloadsSchema } from './schema.ts';

const issuesOf = (input: unknown): readonly string[] =>
  (workloadsSchema.safeParse(input).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );
const ruleWith = (rule: object) => ({ static: [{ cgroup: 'demo/*', app: 'shop', version: '$1', ...rule }] });

afterEach(() => vi.unstubAllEnvs());

describe('the workloads section', () => {
  it('has defaults for everything', () => {
    expect(workloadsSchema.parse(undefined)).toMatchObject({
      static: [],
      kubernetes: { enabled: 'auto', server: undefined, labels: { app: [], version: [] } },
      docker: {
        enabled: 'auto',
        socket: '/var/run/docker.sock',
        labels: { namespace: [], app: [], version: [] },
      },
    });
  });

  it.each([
    ['10.0.0.1', 'https://10.0.0.1:6443'],
    ['fd00::1', 'https://[fd00::1]:6443'],
  ])('finds the API server of the cluster that the agent is in, at %s', (host, server) => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', host);
    vi.stubEnv('KUBERNETES_SERVICE_PORT', '6443');
    expect(workloadsSchema.parse({}).kubernetes.server).toBe(server);
    const told = { kubernetes: { server: 'https://api:443' } };
    expect(workloadsSchema.parse(told).kubernetes.server).toBe('https://api:443');
  });

  it('puts static workloads into the namespace host unless told otherwise', () => {
    expect(workloadsSchema.parse(ruleWith({})).static[0]?.namespace).toBe('host');
  });

  it.each([
    [ruleWith({ version: '$2' }), 'static.0.version: expected $1, which is what demo/* has', ''],
    [ruleWith({ cgroup: 'demo' }), 'static.0.version: expected no capture, which is what demo has', ''],
    [ruleWith({ cgroup: '*/*', app: '$' }), 'static.0.app: expected $1 to $2', ''],
    [ruleWith({ cgroup: 'demo/[a-' }), 'static.0.cgroup: Expected a glob, got demo/[a-', ''],
    [ruleWith({ cgroup: '!demo' }), 'static.0.cgroup: Expected a glob that does not start with !', '!demo'],
    [ruleWith({ cgroup: 7 }), 'static.0.cgroup: Invalid input: expected string', 'received number'],
    [ruleWith({ app: undefined }), 'static.0.app: Invalid input: expected string', 'received undefined'],
    [ruleWith({ app: '' }), 'static.0.app: Too small', '>=1'],
    [ruleWith({ apps: 'shop' }), 'static.0: Unrecognized key', '"apps"'],
    [{ docker: { enabled: 'yes' } }, 'docker.enabled: Invalid option: expected one of', '"auto"|true|false'],
    [{ docker: { socket: 'docker.sock' } }, 'docker.socket: Invalid string: must start with', '"/"'],
    [{ docker: { labels: { app: 'my.app' } } }, 'docker.labels.app: Invalid input: expected array', 'string'],
    [{ kubernetes: { server: 'http://api' } }, 'kubernetes.server: Invalid', 'URL'],
    [{ kubernetes: { enabled: true } }, 'kubernetes.server: Expected https://HOST:PORT', 'must be told'],
    [{ nomad: {} }, ': Unrecognized key', '"nomad"'],
    [[], ': Invalid input: expected object', 'received array'],
  ])('refuses %j and says where and why', (input, start, end) => {
    const [issue] = issuesOf(input);
    expect(issue?.slice(0, start.length)).toBe(start);
    expect(issue).toContain(end);
  });
});
