// Debian's Chromium and the host page in; a stage on which panels are shown, looked at and used out.
import type { Page } from 'playwright-core';
import type { Scene } from '../host/main.tsx';
import { axe, launchBrowser, overflowOf, picture, violationsIn } from './browser.ts';
import { serveHost } from './server.ts';

export { describeBrowser } from './browser.ts';

export interface Stage {
  readonly page: Page;
  /** Shows a scene; resolves to the ms from data to paint. */
  readonly show: (scene: Scene) => Promise<number>;
  /** Shows the same data otherwise, as when the theme or an option is changed. */
  readonly change: (change: Partial<Scene>) => Promise<number>;
  /** Shows the scene's first frame as so many series. */
  readonly showMany: (scene: Scene, series: number) => Promise<number>;
  /** Keeps a picture of the whole panel among the test's results. */
  readonly picture: (name: string) => Promise<void>;
  /** The word of the verdict. */
  readonly badge: () => Promise<string>;
  /** All that is written in the panel, what can be unfolded too. */
  readonly text: () => Promise<string>;
  /** What axe-core finds in the panel that is serious or critical. */
  readonly violations: () => Promise<readonly string[]>;
  /** Elements that reach beyond the panel's right edge, but for what can be scrolled. */
  readonly overflow: () => Promise<readonly string[]>;
  /** What the page has complained of. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
}

const panel = '[data-testid="plumbline-canary"]';

/** Opens the host page, with `flags` for V8; nothing outside this machine can be reached from it. */
export async function openStage(flags: readonly string[] = []): Promise<Stage> {
  const { url, close } = await serveHost();
  const browser = await launchBrowser(flags);
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    const { url: from } = message.location();
    // Grafana's server has a font for code that is not worth a dependency.
    const isFont = from.includes('/public/fonts/');
    if (message.type() === 'error' && !isFont) complaints.push(`${message.text()} ${from}`);
  });
  // A busy machine takes its time over Grafana's packages.
  await page.goto(url, { waitUntil: 'commit' });
  await page.waitForFunction('window.plumblineHost', undefined, { timeout: 100_000 });
  await page.evaluate(axe);
  await page.evaluate(async () => {
    await window.plumblineHost;
  });
  const resize = async ({ width, height }: Partial<Scene>): Promise<void> => {
    if (width !== undefined && height !== undefined)
      await page.setViewportSize({ width: width + 24, height: height + 24 });
  };
  const stage: Stage = {
    page,
    complaints,
    show: async (scene) => {
      await resize(scene);
      // As text: a million numbers one by one take the driver seconds. What is not a number becomes null.
      return page.evaluate(async (shown) => (await window.plumblineHost).show(shown), JSON.stringify(scene));
    },
    change: async (change) => {
      await resize(change);
      return page.evaluate(async (changed) => (await window.plumblineHost).change(changed), change);
    },
    showMany: async (scene, series) => {
      await stage.show(scene);
      return page.evaluate(
        async ([one, count]) =>
          (await window.plumblineHost).change({ frames: Array.from({ length: count }, () => one) }),
        [scene.frames[0] ?? { fields: [], length: 0 }, series] as const,
      );
    },
    picture: (name) => picture(page, name),
    badge: () => page.getByTestId('verdict').innerText(),
    text: async () => (await page.locator(panel).textContent()) ?? '',
    violations: () => violationsIn(page, panel),
    overflow: () => overflowOf(page, panel),
    close: async () => {
      await browser.close();
      await close();
    },
  };
  return stage;
}
