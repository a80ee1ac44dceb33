import { describe, expect, it } from 'vitest';
import { createBackoff } from './backoff.ts';

describe('the back-off', () => {
  it('is due at once for a key that never failed', () => {
    expect(createBackoff().isDue('7', 0)).toBe(true);
  });

  it('waits twice as long after each failure, up to a limit', () => {
    const backoff = createBackoff({ firstMs: 500, lastMs: 4000 });
    const looks: number[] = [];
    for (let nowMs = 0; nowMs <= 20_000; nowMs += 500) {
      if (!backoff.isDue('7', nowMs)) continue;
      looks.push(nowMs);
      backoff.failed('7', nowMs);
    }
    expect(looks).toEqual([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500]);
  });

  it('starts anew for a key that was found in between, or that nobody asked for in a long time', () => {
    const backoff = createBackoff({ firstMs: 500, forgetMs: 10_000 });
    backoff.failed('7', 0);
    backoff.delete('7');
    expect(backoff.isDue('7', 1)).toBe(true);
    for (const nowMs of [0, 500, 1500, 3500]) backoff.failed('8', nowMs);
    backoff.sweep(13_000);
    expect(backoff.isDue('8', 3600)).toBe(false);
    backoff.sweep(14_000);
    expect(backoff.isDue('8', 3600)).toBe(true);
  });
});
