// docker-compose.yml as Compose itself reads it: valid, pinned, closed to the network, and with no right too many.
import { expect, test } from 'vitest';
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { parse } from 'yaml';
import { describeKernel } from '../support/kernel.ts';

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly privileged?: boolean;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly ports?: readonly (string | { readonly host_ip?: string })[];
  readonly volumes?: readonly (string | { readonly source: string; readonly target: string })[];
}

const root = new URL('../../', import.meta.url).pathname;

/** The services as Compose prints them: version 1 writes ports and volumes as strings, version 2 as objects. */
const services = async (...profiles: readonly string[]): Promise<Readonly<Record<string, Service>>> => {
  const args = [...profiles.flatMap((profile) => ['--profile', profile]), 'config'];
  const { stdout } = await execa('docker-compose', args, { cwd: root });
  return (parse(stdout) as { services: Record<string, Service> }).services;
};
const mountsOf = ({ volumes = [] }: Service) =>
  volumes.map((volume) => {
    if (typeof volume !== 'string') return volume;
    const [source = '', target = ''] = volume.split(':');
    return { source, target };
  });

describeKernel('docker-compose.yml', () => {
  test('the neighbour is there when asked for, and every image has its version', async () => {
    const all = Object.entries(await services('noisy'));
    expect(all.flatMap(([name, { profiles }]) => (profiles ? [] : [name])).sort()).toEqual([
      ...['agent', 'checkout-v1', 'checkout-v2', 'grafana', 'load', 'prometheus'],
    ]);
    expect(all.find(([, { profiles }]) => profiles?.includes('noisy'))?.[0]).toBe('neighbour');
    for (const [, { image }] of all) expect(image).toMatch(/:(v?\d+\.\d+\.\d+|local)/);
  });

  test('nothing listens beyond this machine, and only the agent has rights, those that it needs', async () => {
    for (const [name, { ports = [], cap_add, cap_drop, privileged }] of Object.entries(
      await services('noisy'),
    )) {
      for (const port of ports) {
        expect(typeof port === 'string' ? port.split(':')[0] : port.host_ip, name).toBe('127.0.0.1');
      }
      expect(privileged, name).not.toBe(true);
      expect(cap_drop, name).toEqual(['ALL']);
      expect(cap_add, name).toEqual(name === 'agent' ? ['BPF', 'PERFMON', 'SETUID', 'SETGID'] : undefined);
    }
  });

  test('what it mounts is in the repository, and Grafana finds its dashboards there', async () => {
    const all = await services('noisy');
    const own = Object.values(all)
      .flatMap(mountsOf)
      .map(({ source }) => source)
      .filter((source) => source.startsWith(root));
    expect(own.length).toBeGreaterThan(4);
    // The panel is built: npm run build:panel.
    const missing = own
      .map((source) => relative(root, source))
      .filter((path) => !existsSync(`${root}${path}`));
    expect(missing.filter((path) => path !== 'grafana-plugin/dist')).toEqual([]);

    const provider = await readFile(`${root}deploy/grafana/provisioning/dashboards/plumbline.yaml`, 'utf8');
    const { providers } = parse(provider) as { providers: { options: { path: string } }[] };
    const targets = all.grafana === undefined ? [] : mountsOf(all.grafana).map(({ target }) => target);
    expect(targets).toContain(providers[0]?.options.path);
  });
});
