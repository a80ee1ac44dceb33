import { expect, test, vi } from 'vitest';
import { loadJudgeConfig } from './config.ts';
import { PrometheusError, type Prometheus } from './prometheus.ts';
import { createService, stepsBetween } from './service.ts';

test('there are at most forty windows, which end at multiples of their length', () => {
  expect(stepsBetween(10_000, 10_000 + 600, 30)).toEqual({ begin: 9990, end: 10_590, seconds: 30 });
  expect(stepsBetween(10_000, 10_000 + 86_400, 30)).toMatchObject({ seconds: 2160 });
});

test('however many ask for the same at the same time, Prometheus is asked once', async () => {
  let asked = 0;
  const now = () => {
    asked += 1;
    return Promise.reject(new PrometheusError('Prometheus is away'));
  };
  const troubles: string[] = [];
  const service = createService({
    prometheus: { now } as Partial<Prometheus> as Prometheus,
    config: await loadJudgeConfig(undefined),
    onTrouble: (message) => troubles.push(message),
  });
  const answers = await Promise.all(Array.from({ length: 50 }, () => service.verdict({ app: 'a' })));
  expect(asked).toBe(1);
  expect(troubles).toEqual(['Prometheus is away']);
  expect(answers.at(-1)).toMatchObject({
    verdict: 'inconclusive',
    reasons: ['SOURCE_UNAVAILABLE'],
    message: 'Prometheus is away',
  });
  await service.verdict({ app: 'b' });
  expect(asked).toBe(2);
});

test('a clock that is set back does not make a verdict last', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: Date.UTC(2026, 0, 2) });
  try {
    let asked = 0;
    const now = () => {
      asked += 1;
      return Promise.reject(new PrometheusError('Prometheus is away'));
    };
    const service = createService({
      prometheus: { now } as Partial<Prometheus> as Prometheus,
      config: await loadJudgeConfig(undefined),
    });
    await service.verdict({ app: 'a' });
    vi.setSystemTime(Date.UTC(2026, 0, 1));
    await service.verdict({ app: 'a' });
    expect(asked).toBe(1);
    vi.advanceTimersByTime(5001);
    await service.verdict({ app: 'a' });
    expect(asked).toBe(2);
  } finally {
    vi.useRealTimers();
  }
});
