// The rules for Prometheus, by promtool: their syntax, what they record and when they alert; and that each has a runbook.
import { expect, test } from 'vitest';
import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

const root = new URL('../../', import.meta.url).pathname;
const promtool = (...args: readonly string[]) =>
  execa('promtool', args, { cwd: `${root}deploy/prometheus`, reject: false, all: true });

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert?: string;
      readonly annotations?: { readonly runbook: string };
    }[];
  }[];
}

test('promtool finds nothing wrong with the rules, and they do what their tests say', async () => {
  const check = await promtool('check', 'rules', 'rules.yaml');
  expect(check.all).toContain('SUCCESS');
  const run = await promtool('test', 'rules', 'rules.test.yaml');
  expect(run.all).toContain('SUCCESS');
  expect(run.exitCode).toBe(0);
});

test('each alert has a section in the runbooks, and a test', async () => {
  const read = (path: string) => readFile(root + path, 'utf8');
  const { groups } = parse(await read('deploy/prometheus/rules.yaml')) as Rules;
  const runbooks = await read('docs/runbooks.md');
  const tests = await read('deploy/prometheus/rules.test.yaml');
  const alerts = groups.flatMap(({ rules }) => rules.filter(({ alert }) => alert !== undefined));
  expect(alerts).toHaveLength(9);
  for (const { alert = '', annotations } of alerts) {
    expect(runbooks).toContain(`\n## ${alert}\n`);
    expect(annotations?.runbook).toBe(`docs/runbooks.md#${alert.toLowerCase()}`);
    expect(tests).toContain(`alertname: ${alert}\n`);
  }
});
