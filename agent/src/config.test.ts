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

test('an interval longer than five seconds is a window of the history', () => {
  expect(parseConfig('interval: 10s', 'x.yaml').history.window).toBe(10_000);
  expect(parseConfig('interval: 2s', 'x.yaml').history.window).toBe(5000);
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
  ['interval: 1ms', 'interval: expected 100ms to 1m, got "1ms"'],
  ['interval: -1s', 'x.yaml: 1 wrong\n  interval: expected a duration such as 500ms, 1s or 10m, got "-1s"'],
  ['history: { window: 100ms }', 'x.yaml: 1 wrong\n  history.window: expected 1s to 1m, got "100ms"'],
  [
    'interval: 10s\nhistory: { window: 5s }',
    'history.window: expected at least the interval, which is 10s, got "5s"',
  ],
  ['node: ""', 'node: expected some, or leave out the key, got ""'],
  ['probes: http', 'probes: expected a list, got "http"'],
  ['probes: [http, htpp]', 'probes.1: expected one of blockio, http, http2, '],
  ['probes: []', 'probes: expected some, or leave out the key, got []'],
  ['user: -5', 'user: expected at least 0, got -5'],
  ['listen: here', 'listen: expected HOST:PORT, such as 127.0.0.1:9736 or [::1]:9736, got "here"'],
  ['listen: 9736', 'listen: expected HOST:PORT, such as 127.0.0.1:9736 or [::1]:9736, got 9736'],
  ['listen: "a:99999"', 'listen: expected a port up to 65535, got "a:99999"'],
  ['intervall: 1s', '(top): unknown "intervall", expected one of node, listen, interval, '],
  ['bpftrace: { pth: x, a: 1 }', 'bpftrace: unknown "pth", "a", expected one of path, maxMapKeys'],
  [
    'workloads: { static: [{ cgroup: "a/*", app: $2, version: v }] }',
    'workloads.static.0.app: expected $1, which is what a/* has ($$ is a dollar sign), got "$2"',
  ],
  ['workloads: { docker: { enabled: yes } }', 'docker.enabled: expected one of auto, true, false, got "yes"'],
  ['bpftrace: { maxMapKeys: many }', 'bpftrace.maxMapKeys: expected a number, got "many"'],
  ['workloads: { static: [{ app: a }] }', 'workloads.static.0.cgroup: expected text, got nothing'],
  ['- a', '(top): expected keys with values, got ["a"]'],
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
