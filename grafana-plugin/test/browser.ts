// Debian's Chromium: how tests start it, what they keep of it, and what they look for in a page.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { describe } from 'vitest';

const executablePath = process.env.CHROMIUM ?? findCommand('chromium', 'chromium-browser', 'google-chrome');
if (executablePath === undefined) {
  const lacking = 'No Chromium is here. Remedy: apt-get install chromium, or name yours in CHROMIUM.\n';
  if (process.env.CI === 'true') throw new Error(`CI must run the browser tests. ${lacking}`);
  process.stderr.write(`Browser tests are skipped. ${lacking}`);
}

/** `describe`, skipped where there is no browser; in CI there must be one. */
export const describeBrowser = describe.skipIf(executablePath === undefined);

/** Starts it, with `flags` for V8; nothing outside this machine can be reached from it. */
export const launchBrowser = (flags: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [
      ...['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
      ...(flags.length > 0 ? [`--js-flags=${flags.join(' ')}`] : []),
    ],
  });

/** axe-core, to be evaluated in a page. */
export const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const pictures = fileURLToPath(new URL('../../test/results/panel', import.meta.url));

/** Keeps a picture of a page among the test's results. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: `${pictures}/${name}.png` });
}

/** What axe-core, which has to be there, finds serious or critical in an element. */
export const violationsIn = (page: Page, selector: string): Promise<readonly string[]> =>
  page.evaluate(findViolations, selector);

/** Elements that reach beyond the right edge of the one selected, but for what can be scrolled. */
export const overflowOf = (page: Page, selector: string): Promise<readonly string[]> =>
  page.evaluate(findOverflow, selector);

/** Runs in the page. */
async function findViolations(selector: string): Promise<string[]> {
  const { violations } = await window.axe.run(selector, { resultTypes: ['violations'] });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`);
}

/** Runs in the page. */
function findOverflow(selector: string): string[] {
  const root = document.querySelector(selector);
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
