// Every state of the agent's page, over TLS and with a password, from the agent's real listener and history: what it
// says, and how it is used. And the page of an agent that is started as users do.
import { hash } from 'bcryptjs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { loadWebConfig } from '../../agent/src/http/web-config.ts';
import { startAgent } from '../../test/support/agent.ts';
import { createCertificates } from '../../test/support/certificates.ts';
import { describeKernel } from '../../test/support/kernel.ts';
import type { Requests, ToldAgent } from './toldAgent.ts';
import { startToldAgent } from './toldAgent.ts';
import { axe, describeBrowser, launchBrowser, picture, violationsIn } from './browser.ts';

const password = 'correct horse';
/** A browser that knows the password, and not the authority that the certificate is from. */
const visitor: BrowserContextOptions = {
  httpCredentials: { username: 'sre', password },
  ignoreHTTPSErrors: true,
  viewport: { width: 1280, height: 800 },
};
const v1: Requests = { app: 'checkout', version: 'v1', count: 300, bucket: 190 };
const v2: Requests = { ...v1, version: 'v2' };
const slow: Requests = { ...v2, bucket: 200 };
const cart: Requests = { app: 'cart', version: 'a', count: 20, bucket: 190 };

describeBrowser('the page of an agent', () => {
  let folder: string;
  let webFile: string;
  let agent: ToldAgent;
  let browser: Browser;
  let page: Page;
  let complaints: readonly string[];

  const says = (text: string | RegExp) => page.getByText(text).first().waitFor();
  const badge = (word: string) => page.getByTestId('verdict').getByText(word, { exact: true }).waitFor();
  const picker = (label: string) => page.getByRole('combobox', { name: label });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plumbline-page-'));
    webFile = await writeWebFile(folder);
    agent = await startToldAgent(await loadWebConfig(webFile));
    browser = await launchBrowser();
    page = await browser.newPage(visitor);
    complaints = complaintsOf(page);
    agent.report({ notReady: 'no snapshot of the kernel yet' });
    await page.goto(agent.url);
  });
  afterAll(async () => {
    await browser.close();
    await agent.close();
    await rm(folder, { recursive: true });
  });

  test('a password is wanted for it, as for all else', async () => {
    const stranger = await browser.newContext({ ignoreHTTPSErrors: true });
    const statuses = ['', 'page/page.js', 'api/v1/agent'].map(async (path) =>
      (await stranger.request.get(agent.url + path)).status(),
    );
    expect(await Promise.all(statuses)).toEqual([401, 401, 401]);
    await stranger.close();
  });

  test('warming up, without traffic, with traffic that has no name, with one version: each in words', async () => {
    await says('The agent is warming up.');
    await picture(page, 'page-warming-up');
    agent.report({ notReady: null });
    await says('No HTTP request was seen on this node in the last 15 min.');
    agent.report({ unknownRequests: 4812 });
    await says('4.81k requests were seen of cgroups that nobody gives a name.');
    agent.count(60, [v1]);
    await says('Only v1 of checkout has traffic.');
    await picture(page, 'page-single-version');
  });

  test('a second version shows by itself, and is judged', async () => {
    agent.restart();
    agent.count(240, [v1, slow, cart]);
    await badge('Fail');
    await says(/The code of v2 is slower than v1/);
    expect(await page.title()).toBe('Fail: checkout v2 · Plumbline');
    expect(await page.getByTestId('state').innerText()).toBe('live, last 15 min');
  });

  test('other versions and another app are chosen with the keyboard alone, and the address remembers', async () => {
    await picker('Canary').selectOption('v1');
    await badge('Pass');
    expect(page.url()).toContain('?namespace=shop&app=checkout&canary=v1');
    await page.reload();
    await badge('Pass');
    await picker('App').focus();
    await page.keyboard.type('cart');
    await says('Only a of cart has traffic.');
    await page.goBack();
    await badge('Pass');
    await page.goto(`${agent.url}?app=basket`);
    await says('basket has had no request in the last 15 min.');
    await says('Choose another app above: cart, checkout.');
    await picture(page, 'page-vanished');
    await page.goto(agent.url);
    await badge('Fail');
  });

  test('stands still when it is paused or zoomed, and goes on', async () => {
    const plot = await page.locator('.u-over').first().boundingBox();
    if (!plot) throw new Error('Expected a plot');
    const y = plot.y + plot.height / 2;
    await page.mouse.move(plot.x + plot.width * 0.3, y);
    await page.mouse.down();
    await page.mouse.move(plot.x + plot.width * 0.7, y, { steps: 4 });
    await page.mouse.up();
    expect(await page.getByTestId('state').innerText()).toMatch(/^\d\d:\d\d:\d\d to \d\d:\d\d:\d\d$/);
    await page.getByRole('button', { name: 'Back to live' }).click();
    await says('live, last 15 min');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Back to live' }).click();
  });

  test('a probe that runs reduced is noted, with what it lacks', async () => {
    const lacking = [{ found: 'BTF: none', remedy: 'a kernel with CONFIG_DEBUG_INFO_BTF' }];
    agent.report({ probes: [{ name: 'http', mode: 'reduced', isOverBudget: false, lacking }] });
    await page.getByText('1 note on the data').click();
    await says('The probe http runs reduced on this node: BTF: none (a kernel with CONFIG_DEBUG_INFO_BTF).');
  });

  test('the theme is the system’s, until somebody changes it', async () => {
    const background = () =>
      page.evaluate(() => getComputedStyle(document.querySelector('main') ?? document.body).colorScheme);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByRole('button', { name: 'Dark' }).click();
    await page.getByRole('button', { name: 'Light' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Light' }).waitFor();
    expect(await background()).toBe('dark');
  });

  test('has no serious accessibility violation, light or dark, wide or narrow', async () => {
    await badge('Fail');
    await page.evaluate(axe);
    for (const [width, name] of [
      [1280, 'Light'],
      [320, 'Dark'],
    ] as const) {
      await page.setViewportSize({ width, height: 800 });
      expect(await violationsIn(page, 'body')).toEqual([]);
      await page.getByRole('button', { name, exact: true }).click();
      expect(await violationsIn(page, 'body')).toEqual([]);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test('an agent that is away is told of, what was known stays, and it goes on when the agent is back', async () => {
    const { port } = new URL(agent.url);
    await agent.close();
    await says(/The agent does not answer\. This is as of \d\d:\d\d:\d\d; trying again\./);
    await badge('Fail');
    await picture(page, 'page-unreachable');
    agent = await startToldAgent(await loadWebConfig(webFile), Number(port));
    agent.count(240, [v1, v2]);
    await badge('Pass');
    await says('live, last 15 min');
    expect(complaints).toEqual([]);
  });

  describeKernel('that is started with --web.config.file', () => {
    test('opens over TLS with the password, is live once the probes are loaded, and goes on asking', async () => {
      const real = await startAgent('', { awaitReady: false, args: ['--web.config.file', webFile] });
      const itsPage = await browser.newPage(visitor);
      const itsComplaints = complaintsOf(itsPage);
      try {
        expect(real.url).toMatch(/^https:/);
        await itsPage.goto(real.url);
        // The page is there before the probes are.
        await itsPage.getByText('live, last 15 min').waitFor({ timeout: 60_000 });
        await itsPage.waitForResponse((one) => one.url() === `${real.url}/api/v1/agent` && one.ok());
        expect(itsComplaints).toEqual([]);
      } finally {
        await itsPage.close();
        await real.stop();
      }
    });
  });
});

/** Writes certificate, key and web configuration as users do; returns the path of the last. */
async function writeWebFile(folder: string): Promise<string> {
  const { cert, key } = await createCertificates();
  await writeFile(join(folder, 'server.crt'), cert);
  await writeFile(join(folder, 'server.key'), key);
  const file = join(folder, 'web.yaml');
  await writeFile(
    file,
    `tls_server_config: { cert_file: server.crt, key_file: server.key }
basic_auth_users: { sre: "${await hash(password, 4)}" }
`,
  );
  return file;
}

/** What a page complains of from now on, a broken policy too. */
function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // The browser itself tells of an agent that is away.
    if (!/ERR_CONNECTION_REFUSED|status of 401/.test(message.text())) complaints.push(message.text());
  });
  return complaints;
}
