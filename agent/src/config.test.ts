import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, loadConfig, parseConfig } from './config.ts';

test('an empty file gives the defaults', () => {
  expect(parseConfig('', 'x.yaml')).toMatchObject({
    listen: { host: '127.0.0.1', port: 9736 },
    interval: 1000,
    bpftrace: { path: 'bpftrace', maxMapKeys: 16_384 },
    series: { retention: 600_000 },
  });
});

test.each([
  ['[::1]:80', { host: '::1', port: 80 }],
  ['0.0.0.0:9736', { host: '0.0.0.0', port: 9736 }],
])('listen: %s', (listen, expected) => {
  expect(parseConfig(`listen: "${listen}"`, 'x.yaml').listen).toEqual(expected);
});

test.each([
  ['interval: 5', 'interval: expected a duration such as 500ms, 1s or 10m, got 5'],
  ['interval: soon', 'interval: expected a duration such as 500ms, 1s or 10m, got "soon"'],
  ['interval: 1ms', 'interval: expected 100ms to 60000ms, got "1ms"'],
  ['listen: here', 'listen: expected HOST:PORT, such as 127.0.0.1:9736 or [::1]:9736, got "here"'],
  ['listen: 9736', 'listen: expected HOST:PORT, such as 127.0.0.1:9736 or [::1]:9736, got 9736'],
  ['listen: "a:99999"', 'listen: expected a port up to 65535, got "a:99999"'],
  ['intervall: 1s', '(top): unknown "intervall", expected one of node, listen, interval, '],
  ['bpftrace: { pth: x, a: 1 }', 'bpftrace: unknown "pth", "a", expected one of path, maxMapKeys'],
  [
    'workloads: { static: [{ cgroup: "a/*", app: $2, version: v }] }',
    'workloads.static.0.app: expected $1, which is what a/* has ($$ is a dollar sign), got "$2"',
  ],
  ['workloads: { docker: { enabled: yes } }', 'docker.enabled: expected one of "auto"|true|false, got "yes"'],
  ['bpftrace: { maxMapKeys: many }', 'bpftrace.maxMapKeys: expected number, got "many"'],
  ['workloads: { static: [{ app: a }] }', 'workloads.static.0.cgroup: expected string, got nothing'],
  ['- a', '(top): expected object, got ["a"]'],
])('%s is refused with key, expectation and finding', (text, message) => {
  expect(() => parseConfig(text, 'x.yaml')).toThrow(ConfigError);
  expect(() => parseConfig(text, 'x.yaml')).toThrow(message);
});

test('an unknown key is named without what stands there', () => {
  expect(() => parseConfig('node: mine\nintervall: 2s', 'x.yaml')).not.toThrow(/mine|2s/);
});

test('several findings are told at once', () => {
  expect(() => parseConfig('interval: 5\nlisten: here', 'x.yaml')).toThrow(/x\.yaml: 2 wrong\n.*\n.*/);
});

test('text that is not YAML is refused with its place', () => {
  expect(() => parseConfig('a: [', 'x.yaml')).toThrow(/x\.yaml: not YAML: .*line 1/);
});

test('a file that is not there is refused by its name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-'));
  try {
    await expect(loadConfig(join(folder, 'none.yaml'))).rejects.toThrow(
      /none\.yaml: cannot be read \(ENOENT/,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
