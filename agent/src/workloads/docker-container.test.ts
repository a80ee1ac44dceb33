import { describe, expect, it } from 'vitest';
import { containerIdOf, containerSchema, workloadOfContainer } from './docker-container.ts';

const id = 'f00dfacecafe'.padEnd(64, '0');
const noLabels = { namespace: [], app: [], version: [] };

describe('containerIdOf', () => {
  it.each([
    ['the cgroupfs driver', `/docker/${id}`, id],
    ['a cgroup parent', `/teams/blue/${id}`, id],
    ['the systemd driver', `/system.slice/docker-${id}.scope`, id],
    ['rootless Docker', `/user.slice/user-1000.slice/user@1000.service/docker-${id}.scope`, id],
    ['Docker in Docker: the inner one', `/docker/${'a'.repeat(64)}/docker/${id}`, id],
    ['a cgroup made inside the container', `/docker/${id}/worker`, undefined],
    ['another runtime', `/kubepods.slice/cri-containerd-${id}.scope`, undefined],
    ['the driver itself', '/docker', undefined],
    ['a short id', `/docker/${id.slice(1)}`, undefined],
    ['too long an id', `/docker/${id}0`, undefined],
    ['capitals', `/docker/${id.toUpperCase()}`, undefined],
    ['the root', '/', undefined],
  ])('recognises %s', (_, path, containerId) => {
    expect(containerIdOf(path)).toBe(containerId);
  });
});

describe('workloadOfContainer', () => {
  const configured = { namespace: ['my.ns'], app: ['no.such', 'my.app'], version: ['my.version'] };

  it.each([
    ['namespace', ['my.ns', 'plumbline.namespace', 'com.docker.compose.project'], 'docker'],
    ['app', ['my.app', 'plumbline.app', 'app.kubernetes.io/name', 'com.docker.compose.service'], 'web'],
    [
      'version',
      [
        'my.version',
        'plumbline.version',
        'app.kubernetes.io/version',
        'version',
        'org.opencontainers.image.version',
      ],
      '1.25',
    ],
  ] as const)('takes the %s from the first label there is, the configured ones first', (key, names, last) => {
    const base = { Id: id, Names: ['/web'], Image: 'nginx:1.25' };
    for (const [index, name] of names.entries()) {
      const Labels = Object.fromEntries(names.slice(index).map((label) => [label, `of ${label}`]));
      expect(workloadOfContainer({ ...base, Labels }, configured)[key]).toBe(`of ${name}`);
    }
    expect(workloadOfContainer(base, configured)[key]).toBe(last);
  });

  it.each([
    ['nginx:1.25', '1.25'],
    ['nginx', 'latest'],
    ['registry.example:5000/team/shop', 'latest'],
    ['registry.example:5000/team/shop:v2', 'v2'],
    [`shop:v2@sha256:${id}`, 'v2'],
    [`shop@sha256:${id}`, 'f00dfacecafe'],
    [`sha256:${id}`, 'f00dfacecafe'],
    ['f00dface', 'f00dface'],
    ['', 'unknown'],
    [null, 'unknown'],
  ])('takes from the image %s the version %s', (image, version) => {
    const container = { Id: id, Image: image, ImageID: `sha256:${id}` };
    expect(workloadOfContainer(container, noLabels).version).toBe(version);
  });

  it.each([
    [['/other/alias', '/web'], 'web'],
    [['/'], 'f00dfacecafe'],
    [[], 'f00dfacecafe'],
    [null, 'f00dfacecafe'],
  ])('takes from the names %j the app %s', (names, app) => {
    expect(workloadOfContainer({ Id: id, Names: names }, noLabels).app).toBe(app);
  });

  it('passes over blank labels and cuts endless ones', () => {
    const container = { Id: id, Labels: { 'plumbline.app': ' ', version: 'v'.repeat(1e6) }, Names: ['/web'] };
    const { app, version } = workloadOfContainer(container, noLabels);
    expect(app).toBe('web');
    expect(version).toHaveLength(128);
  });
});

describe('containerSchema', () => {
  it.each([
    [{ Id: id }, true],
    [{ Id: id, Labels: null, Names: null, Status: 'Up' }, true],
    [{ Id: '../../etc' }, false],
    [{ Id: id, Labels: { version: 3 } }, false],
    [{ Id: id, Names: '/web' }, false],
    [null, false],
    ['container', false],
  ])('takes %j: %s', (input, ok) => {
    expect(containerSchema.safeParse(input).success).toBe(ok);
  });
});
