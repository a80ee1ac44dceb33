import { expect, test } from 'vitest';
import { fitProbes } from './fit.ts';
import { loadProbes } from './probes.ts';

const findings = async (bpftraceVersion: string) => {
  const [http2] = fitProbes(await loadProbes(['http2']), { btfFile: 'vmlinux', bpftraceVersion });
  return { mode: http2?.mode, lacking: http2?.lacking.filter(({ name }) => name === 'bpftrace') };
};

test('a probe that a newer bpftrace makes too long for the verifier is left out there, with a remedy', async () => {
  expect((await findings('0.17.0')).lacking).toEqual([]);
  const { mode, lacking = [] } = await findings('0.23.2');
  expect(mode).toBe('none');
  expect(lacking.map(({ found }) => found)).toEqual(['0.23.2']);
  expect(lacking[0]?.remedy).toMatch(/^bpftrace 0\.17/);
});
