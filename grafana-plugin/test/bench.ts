// In: a made-up run of 20 nodes × 180 windows × 160 buckets. Out: how long the panel takes from data to paint.
import { cpus } from 'node:os';
import type { Updates } from '../host/main.tsx';
import type { Times } from '../host/parts.ts';
import { framesOf } from '../src/frames/fixture.ts';
import { madeUpRun } from '../src/model/fixture.ts';
import { setup } from './build.ts';
import { sceneOf } from './scenes.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';

const updates = 9;
const shape = { nodes: 20, windows: 180, buckets: 160 };

setup();
const print = (text: string) => process.stdout.write(`${text}\n`);
print(`${cpus().length} × ${cpus()[0]?.model ?? '?'}, ms, medians of ${updates} refreshes\n`);
print(
  '| histograms | series | first, data to paint | refresh | straight after parsing | frames | model | verdict of it | copying each number once |',
);
print('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
for (const format of ['classic', 'native'] as const) {
  const stage = await openStage(['--expose-gc']);
  try {
    await measure(stage, format);
  } finally {
    await stage.close();
  }
}

async function measure(stage: Stage, format: 'classic' | 'native'): Promise<void> {
  const frames = [...framesOf(madeUpRun(shape), format)];
  const first = await stage.show({ ...sceneOf({ ...shape, nodes: 1, buckets: 10 }), frames, width: 1280 });
  // A refresh brings all series anew, as arrays that nothing has seen yet.
  const refreshes: (Times & Updates)[] = [];
  for (let i = 0; i < updates; i++)
    refreshes.push(await stage.page.evaluate(async () => (await window.plumblineHost).refresh()));
  const cells = (['update', 'afterParse', 'frames', 'model', 'verdict', 'floor'] as const).map((part) =>
    median(refreshes.map((times) => times[part])).toFixed(1),
  );
  print(`| ${format} | ${frames.length} | ${first.toFixed(0)} | ${cells.join(' | ')} |`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
