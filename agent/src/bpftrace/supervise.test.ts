import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Snapshot } from './run.ts';
import { createSupervisor, newSupervisorState } from './supervise.ts';

const folder = mkdtempSync(join(tmpdir(), 'plumbline-supervise-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** No node can be put to sleep by a test: this ticks as bpftrace does. */
const ticking = join(folder, 'bpftrace');
writeFileSync(
  ticking,
  `#!/bin/sh
trap 'exit 0' INT TERM
while :; do
  n=$((n + 1))
  printf '{"type":"map","data":{"@n":%d}}\\n{"type":"map","data":{"@tick":%d}}\\n' $n $n
  sleep 0.1
done
`,
);
chmodSync(ticking, 0o755);

test('a program whose clocks hold no more is started again, and what it counted with them is not delivered', async () => {
  const stop = new AbortController();
  const state = newSupervisorState();
  const snapshots: Snapshot[] = [];
  let ticks = 0;
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const supervisor = createSupervisor({
    ...{ path: ticking, maxMapKeys: 64, btfFile: undefined, log, state },
    program: { text: () => '', off: [], coming: [], files: [] },
    standInFor: () => undefined,
    kinds: { capacity: 64, levels: [], histograms: [] },
    onSnapshot: (snapshot) => {
      snapshots.push(snapshot);
      if (snapshot.run === 2) stop.abort();
    },
    isStale: () => ++ticks === 3,
    onRefused: () => Promise.resolve(),
  });
  await supervisor.run(stop.signal);
  expect(snapshots.map(({ run, maps }) => [run, maps.get('@n')?.get('')])).toEqual([
    [1, 1],
    [1, 2],
    [2, 1],
  ]);
  expect(state.restarts).toBe(1);
});
