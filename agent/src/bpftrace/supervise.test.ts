import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
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

const watched = (onSnapshot: (snapshot: Snapshot) => void, isStale = () => false) => {
  const state = newSupervisorState();
  const errors: string[] = [];
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (_fields: object, text: string) => errors.push(text),
  };
  const supervisor = createSupervisor({
    ...{ path: ticking, maxMapKeys: 64, btfFile: undefined, log, state, onSnapshot, isStale },
    program: { text: () => '', off: [], coming: [], files: [] },
    standInFor: () => undefined,
    kinds: { capacity: 64, levels: [], histograms: [] },
    onRefused: () => Promise.resolve(),
  });
  return { supervisor, state, errors };
};

test('a program whose clocks hold no more is started again, and what it counted with them is not delivered', async () => {
  const stop = new AbortController();
  const snapshots: Snapshot[] = [];
  let ticks = 0;
  const { supervisor, state } = watched(
    (snapshot) => {
      snapshots.push(snapshot);
      if (snapshot.run === 2) stop.abort();
    },
    () => ++ticks === 3,
  );
  await supervisor.run(stop.signal);
  expect(snapshots.map(({ run, maps }) => [run, maps.get('@n')?.get('')])).toEqual([
    [1, 1],
    [1, 2],
    [2, 1],
  ]);
  expect(state.restarts).toBe(1);
});

test('a bpftrace that hangs is ended and started again; one whose agent has stood still is not', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const stop = new AbortController();
  let hung = 0;
  const { supervisor, state, errors } = watched(({ run }) => {
    if (run === 2) stop.abort();
    if (run === 2 || hung === state.pid) return;
    vi.advanceTimersByTime(50_000);
    hung = state.pid ?? 0;
    process.kill(hung, 'SIGSTOP');
    setTimeout(() => vi.advanceTimersByTime(60_000), 300);
  });
  try {
    await supervisor.run(stop.signal);
  } finally {
    vi.useRealTimers();
  }
  expect(errors).toEqual(['bpftrace is silent; ending it']);
  expect(state.restarts).toBe(1);
});
