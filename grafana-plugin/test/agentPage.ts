// The page of an agent beside the demo's noisy neighbour, as a person sees it; it has to stand the test while that runs.
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { launchBrowser, picture } from './browser.ts';
import { isBusy } from './demo.ts';

const sizes = [
  [360, 740],
  [1600, 900],
] as const;

export async function lookAtPage(url: string): Promise<void> {
  const browser = await launchBrowser();
  try {
    await look(browser, url);
  } finally {
    await browser.close();
  }
}

async function look(browser: Browser, url: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1600, height: 900 }, colorScheme: 'dark' });
  const { complaints, origins } = listenTo(page);
  await page.goto(url);
  await page.getByText('The agent is warming up.').or(page.getByText('canary v2')).first().waitFor();
  // Until its probes are loaded, which takes a busy machine a minute.
  await page.getByText('canary v2').waitFor({ timeout: 120_000 });

  // By itself it says what it thinks of v2, once there is enough to tell.
  const isJudged = () =>
    document.querySelector('[data-tone="skewed"], [data-tone="fail"], [data-tone="pass"]');
  const isKnown = await page
    .waitForFunction(isJudged, undefined, { timeout: 60_000 })
    .then(() => true, isBusy);
  // A busy machine disturbs both versions: then nobody knows, but whose fault it is may not be got wrong.
  expect(isKnown).toBe(true);
  if (!isBusy()) expect(await page.getByTestId('verdict').innerText()).not.toBe('Fail');
  expect(await page.title()).toMatch(/^\w+: checkout v2 · Plumbline$/);
  await page.getByRole('row', { name: /batch\/neighbour v1 \d+ %/ }).waitFor();
  await picture(page, 'page-1600-dark');

  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of sizes) {
      await page.setViewportSize({ width, height });
      await page.waitForTimeout(300);
      await picture(page, `page-${width}-${colorScheme}`);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    }
  }
  // It has asked nobody but the agent, and its policy had nothing to refuse.
  expect(origins).toEqual(new Set([new URL(url).origin]));
  expect(complaints).toEqual([]);
}

/** What the page complains of, and whom it asks, from now on. */
function listenTo(page: Page): { complaints: readonly string[]; origins: ReadonlySet<string> } {
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  return { complaints, origins };
}
