// The panel as a person uses it: mouse, keyboard, options, and what Grafana asks of the plugin.
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { frame } from '../src/frames/fixture.ts';
import { sceneOf, withSeries } from './scenes.ts';
import { describeBrowser, openStage } from './stage.ts';
import type { Stage } from './stage.ts';

const scene = sceneOf({ slower: 1.6 });
const middle = (scene.from + scene.to) / 2;

describeBrowser('a person at the panel', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  beforeEach(() => stage.show(scene));
  afterAll(() => stage.close());

  const plot = (i: number) => stage.page.locator('.u-over').nth(i);
  const tooltip = () => stage.page.getByRole('row', { name: /^difference/ });

  test('sees both values and their difference under the pointer, and the moment in both charts', async () => {
    await plot(0).hover();
    await tooltip().waitFor();
    expect(await stage.page.getByRole('table').filter({ has: tooltip() }).innerText()).toMatch(
      /v2\s+\d[\d.]* ms\s+v1\s+\d[\d.]* ms\s+difference\s+\+\d\d\.\d %/,
    );
    const lines = await stage.page
      .locator('.u-cursor-x')
      .evaluateAll((all) => all.map((line) => line.getBoundingClientRect().x));
    expect(lines).toHaveLength(2);
    expect(Math.abs((lines[0] ?? NaN) - (lines[1] ?? NaN))).toBeLessThan(2);
    await stage.picture('tooltip');
  });

  test('has one crosshair with the other panels of a dashboard', async () => {
    await plot(0).hover();
    await tooltip().waitFor();
    const hovered = await stage.page.evaluate(async () => (await window.plumblineHost).hovers.at(-1));
    expect(Math.abs((hovered ?? NaN) / 1000 - middle)).toBeLessThan((scene.to - scene.from) / 50);
    await stage.page.mouse.move(0, 0);
    const quarter = scene.from + (scene.to - scene.from) / 4;
    // Grafana tells of a pointer that has left a tenth of a second later.
    await vi.waitFor(async () => {
      await stage.page.evaluate(async (time) => {
        (await window.plumblineHost).hoverElsewhere(time);
      }, quarter * 1000);
      const line = await stage.page.locator('.u-cursor-x').first().boundingBox();
      const box = await plot(0).boundingBox();
      expect(((line?.x ?? NaN) - (box?.x ?? NaN)) / (box?.width ?? NaN)).toBeCloseTo(0.25, 1);
    });
  });

  test('zooms by dragging', async () => {
    const box = await plot(0).boundingBox();
    if (!box) throw new Error('Expected a plot');
    const y = box.y + box.height / 2;
    await stage.page.mouse.move(box.x + box.width * 0.25, y);
    await stage.page.mouse.down();
    await stage.page.mouse.move(box.x + box.width * 0.5, y, { steps: 4 });
    await stage.page.mouse.up();
    const zoom = await stage.page.evaluate(async () => (await window.plumblineHost).zooms.at(-1));
    const quarter = (scene.to - scene.from) / 4;
    expect(Math.abs((zoom?.from ?? NaN) / 1000 - (scene.from + quarter))).toBeLessThan(0.05 * quarter);
    expect(Math.abs((zoom?.to ?? NaN) / 1000 - (scene.from + 2 * quarter))).toBeLessThan(0.05 * quarter);
  });

  test('reads the charts with the keyboard alone', async () => {
    await stage.page.locator('.uplot').first().focus();
    for (let i = 0; i < 3; i++) await stage.page.keyboard.press('ArrowRight', { delay: 60 });
    await tooltip().waitFor();
    expect(await tooltip().innerText()).toMatch(/\+\d\d\.\d %/);
  });

  test('hides a version with a button that says whether it is pressed', async () => {
    const button = stage.page.getByRole('button', { name: /^v1 / });
    expect(await button.getAttribute('aria-pressed')).toBe('true');
    await button.focus();
    await stage.page.keyboard.press('Enter');
    expect(await button.getAttribute('aria-pressed')).toBe('false');
    await stage.picture('baseline-hidden');
  });

  test('hears what the charts show', async () => {
    const labels = await stage.page
      .locator('[role=group][aria-label]')
      .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
    expect(labels[0]).toMatch(/^p99 over time\. Latest: canary v2 \d+ ms, baseline v1 [\d.]+ ms\.$/);
    expect(labels[1]).toMatch(/^Difference of p99 over time, with its interval\. At the end: \+\d\d\.\d %/);
  });

  test('sees rollouts and exemplars where they happened', async () => {
    const field = (name: string, values: readonly unknown[]) => ({ name, type: 'other', config: {}, values });
    const rollout = { length: 1, fields: [field('time', [middle * 1000]), field('text', ['10 % to v2'])] };
    const fields = [field('Time', [middle * 1000]), field('Value', [0.08]), field('traceID', ['4bf92f35'])];
    const exemplar = { name: 'exemplar', length: 1, fields };
    await stage.change({ annotations: [rollout, exemplar] as never });
    await plot(0).hover();
    await stage.page.getByText('10 % to v2').waitFor();
    await stage.page.getByText('exemplar 4bf92f35').waitFor();
    await stage.picture('annotation');
  });

  test('switches sections off, and finds what is missing named by variables', async () => {
    await stage.change({
      options: { app: '$app', canary: '$canary', baseline: '${unknown}', sections: ['overlay'] },
      variables: { app: 'basket', canary: 'v1' },
    });
    expect(await stage.page.locator('.uplot').count()).toBe(1);
    expect(await stage.page.getByRole('table').count()).toBe(0);
    expect(await stage.text()).toMatch(/basketcanary v1baseline v2/);
  });

  test('judges a signal of their own', async () => {
    const times = [...Array(101).keys()].map((i) => scene.from + 15 * i);
    const totals = (perWindow: number) => times.map((_, i) => perWindow * i);
    const custom = ['v1', 'v2'].flatMap((version, i) => [
      frame('signal conversion trials', { version, node: 'node-1' }, times, totals(200)),
      frame('signal conversion events', { version, node: 'node-1' }, times, totals(i === 0 ? 40 : 20)),
    ]);
    await stage.show({
      ...sceneOf(),
      frames: [...sceneOf().frames, ...custom],
      options: { higherIsBetter: 'conversion' },
    });
    expect(await stage.badge()).toBe('Fail');
    const row = stage.page.locator('[data-signal="conversion"]');
    expect(await row.innerText()).toMatch(/10 %\s+20 %\s+−10 pp[\s\S]*worse/);
  });

  test('is offered the panel for histograms by version, and first for its own queries', async () => {
    const scores = (scenes: readonly object[]) =>
      stage.page.evaluate(async (all) => {
        const { plugin } = await window.plumblineHost;
        return all.map((rawFrames) => plugin.getSuggestions({ rawFrames } as never)?.[0]?.score);
      }, scenes);
    const alike = withSeries({ ...scene, frames: scene.frames.slice(0, 9) }, undefined, () => ({
      refId: 'A',
    }));
    const other = withSeries(alike, undefined, ({ labels: { node = '' } }) => ({ labels: { node } }));
    const [ours, histograms, none] = await scores([scene.frames.slice(0, 9), alike.frames, other.frames]);
    expect(ours).toBeGreaterThan(histograms ?? NaN);
    expect(none).toBeUndefined();
  });
});
