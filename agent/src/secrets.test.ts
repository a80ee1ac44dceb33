// Whatever is wrong in a file that has credentials, no message shows them.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadWebConfig } from './http/web-config.ts';
import { loadJudgeConfig } from './judge/config.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumbline-'));
});
afterEach(() => rm(folder, { recursive: true }));

const refusal = async (load: (file: string) => Promise<unknown>, text: string): Promise<string> => {
  const file = join(folder, 'x.yaml');
  await writeFile(file, text);
  return load(file).then(
    () => 'taken',
    (error: unknown) => String(error),
  );
};

test.each([
  [
    "prometheus: { url: 'http://sre:hunter2@prom:9090', timout: 8s }",
    /prometheus: unknown "timout", .*timeout/,
  ],
  ["prometheus: { url: 'sre:hunter2@prom:9090' }", /prometheus.url: expected a URL .* got something else/],
  ["prometheus: 'http://sre:hunter2@prom:9090'", /prometheus: expected keys with values, got something else/],
  ["'http://sre:hunter2@prom:9090'", /\(top\): expected keys with values, got something else/],
  ['prometheus: { headers: { Authorization: [hunter2] } }', /headers.Authorization: expected text/],
  ['prometheus: { headers: { Authorization: Bearer hunter2 } }\nwindw: 30s', /\(top\): unknown "windw"/],
  ['prometheus: { headers: { Authorization: *hunter2 } }', /not YAML: somewhere/],
  ['prometheus: { headers: { Authorization: |hunter2', /not YAML: at line 1, column/],
])('of the judge: %s', async (text, message) => {
  const told = await refusal(loadJudgeConfig, text);
  expect(told).toMatch(message);
  expect(told).not.toContain('hunter2');
});

test.each([
  [
    'basic_auth_user: { prometheus: hunter2 }',
    /unknown "basic_auth_user", expected one of .*basic_auth_users/,
  ],
  ['basic_auth_users: { prometheus: hunter2 }', /basic_auth_users.prometheus: expected a bcrypt hash/],
  ['basic_auth_users: [hunter2]', /basic_auth_users: expected keys with values, got something else/],
])('of the listeners: %s', async (text, message) => {
  const told = await refusal(loadWebConfig, text);
  expect(told).toMatch(message);
  expect(told).not.toContain('hunter2');
});
