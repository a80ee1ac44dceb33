// The agent's page as a person sees it: beside the demo's noisy neighbour, on the real kernel.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execa } from 'execa';
import type { ResultPromise } from 'execa';
import { availableParallelism, loadavg } from 'node:os';
import type { Browser, Page } from 'playwright-core';
import { describeKernel } from '../../test/support/kernel.ts';
import { describeBrowser, launchBrowser, picture } from './browser.ts';

const main = new URL('../../demo/main.ts', import.meta.url).pathname;
/** Whether others want so much of this machine that nobody can say what a minute of it will show. */
const isBusy = () => (loadavg()[0] ?? 0) > 2 * availableParallelism();
const demoArgs = ['--listen', '127.0.0.1:0', '--seconds', '120', '--json'];

describeKernel('the page of an agent', { timeout: 120_000 }, () => {
  describeBrowser('beside a noisy neighbour', () => {
    let demo: ResultPromise<{ reject: false }>;
    let browser: Browser;
    let page: Page;
    let url: string;
    const complaints: string[] = [];
    const requested: string[] = [];
    const isJudged = () =>
      document.querySelector('[data-tone="skewed"], [data-tone="fail"], [data-tone="pass"]');

    beforeAll(async () => {
      demo = execa(process.execPath, ['--import', 'tsx', main, ...demoArgs], { reject: false });
      const { stderr } = demo;
      url = await new Promise((resolve, reject) => {
        let said = '';
        stderr.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          const found = /The page: (\S+)/.exec(said)?.[1];
          if (found !== undefined) resolve(found);
        });
        void demo.then(({ stderr: all }) => {
          reject(new Error(`The demo ended: ${all}`));
        });
      });
      browser = await launchBrowser();
      page = await browser.newPage({ viewport: { width: 1600, height: 900 }, colorScheme: 'dark' });
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => complaints.push(message.text()));
      page.on('response', (response) => {
        if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
      });
      page.on('request', (request) => requested.push(request.url()));
      await page.goto(url);
    });
    afterAll(async () => {
      await browser.close();
      demo.kill('SIGINT');
      await demo;
    });

    test('says that the agent warms up, and by itself what it thinks of v2 once there is enough to tell', async () => {
      await page.getByText('The agent is warming up.').or(page.getByText('canary v2')).first().waitFor();
      const isKnown = await page
        .waitForFunction(isJudged, undefined, { timeout: 60_000 })
        .then(() => true, isBusy);
      // A busy machine disturbs both versions: then nobody knows, but whose fault it is may not be got wrong.
      expect(isKnown).toBe(true);
      if (!isBusy()) expect(await page.getByTestId('verdict').innerText()).not.toBe('Fail');
      expect(await page.title()).toMatch(/^\w+: checkout v2 · Plumbline$/);
      await page.getByRole('row', { name: /batch\/neighbour v1 \d+ %/ }).waitFor();
      await picture(page, 'page-1600-dark');
    });

    test.each(['light', 'dark'] as const)(
      'looks right on a telephone and a desk, %s',
      async (colorScheme) => {
        await page.emulateMedia({ colorScheme });
        for (const [width, height] of [
          [360, 740],
          [1600, 900],
        ] as const) {
          await page.setViewportSize({ width, height });
          await page.waitForTimeout(300);
          await picture(page, `page-${width}-${colorScheme}`);
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
        }
      },
    );

    test('has asked nobody but the agent, and its policy had nothing to refuse', () => {
      expect(new Set(requested.map((one) => new URL(one).origin))).toEqual(new Set([new URL(url).origin]));
      expect(complaints).toEqual([]);
    });
  });
});
