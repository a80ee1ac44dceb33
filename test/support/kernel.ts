// In: this machine. Out: whether tests that load BPF programs can run here; in CI they must.
import { describe } from 'vitest';
import { describeFindings, preflight } from '../../agent/src/bpftrace/preflight.ts';

const { findings } = await preflight('bpftrace');
const lacking = findings.filter(({ status }) => status === 'missing');

if (lacking.length > 0 && process.env.CI === 'true') {
  throw new Error(`CI must run the kernel tests:\n${describeFindings(lacking)}`);
}
if (lacking.length > 0) process.stderr.write(`Kernel tests are skipped:\n${describeFindings(lacking)}\n`);

/** `describe`, skipped where BPF does not work. */
export const describeKernel = describe.skipIf(lacking.length > 0);
