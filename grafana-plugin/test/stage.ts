// Debian's Chromium and the host page in; a stage on which panels are shown, looked at and used out.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import { describe } from 'vitest';
import type { Scene } from '../host/main.tsx';
import { serveHost } from './server.ts';

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

const executablePath = process.env.CHROMIUM ?? findCommand('chromium', 'chromium-browser', 'google-chrome');
if (executablePath === undefined) {
  const lacking = 'No Chromium is here. Remedy: apt-get install chromium, or name yours in CHROMIUM.\n';
  if (process.env.CI === 'true') throw new Error(`CI must run the browser tests. ${lacking}`);
  process.stderr.write(`Browser tests are skipped. ${lacking}`);
}

/** `describe`, skipped where there is no browser; in CI there must be one. */
export const describeBrowser = describe.skipIf(executablePath === undefined);

const pictures = fileURLToPath(new URL('../../test/results/panel', import.meta.url));
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const panel = '[data-testid="plumbline-canary"]';

/** Opens the host page; nothing outside this machine can be reached from it. */
export async function openStage(): Promise<Stage> {
  const { url, close } = await serveHost();
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
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
  await page.addScriptTag({ path: axe });
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
    picture: async (name) => {
      await mkdir(pictures, { recursive: true });
      await page.screenshot({ path: `${pictures}/${name}.png` });
    },
    badge: () => page.getByTestId('verdict').innerText(),
    text: async () => (await page.locator(panel).textContent()) ?? '',
    violations: () => page.evaluate(findViolations, panel),
    overflow: () => page.evaluate(findOverflow, panel),
    close: async () => {
      await browser.close();
      await close();
    },
  };
  return stage;
}

/** Runs in the page. */
async function findViolations(panel: string): Promise<string[]> {
  const { violations } = await window.axe.run(panel, { resultTypes: ['violations'] });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`);
}

/** Runs in the page. */
function findOverflow(panel: string): string[] {
  const root = document.querySelector(panel);
  if (!root) return ['there is no panel'];
  const { right } = root.getBoundingClientRect();
  return [...root.querySelectorAll('*')]
    .filter((element) => !element.closest('[data-scrolls], details, .sr-only'))
    .filter((element) => element.getBoundingClientRect().right > right + 1)
    .map(
      (element) =>
        `${element.tagName}.${element.getAttribute('class') ?? ''} ${element.textContent.slice(0, 40)}`,
    );
}

function findCommand(...names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((path) => join(path, name))).find((file) => existsSync(file));
}
