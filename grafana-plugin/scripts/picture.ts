// Takes the README's picture of the agent's page, while `npm run demo` runs: npx tsx grafana-plugin/scripts/picture.ts [URL] [FILE].
import { fileURLToPath } from 'node:url';
import { launchBrowser } from '../test/browser.ts';

const [
  url = 'http://127.0.0.1:9736/',
  file = fileURLToPath(new URL('../../docs/page.png', import.meta.url)),
] = process.argv.slice(2);
const browser = await launchBrowser();
const page = await browser.newPage({ viewport: { width: 1400, height: 820 }, colorScheme: 'dark' });
await page.goto(url);
// Once it is known what v2 is.
await page
  .locator('[data-tone="skewed"], [data-tone="fail"], [data-tone="pass"]')
  .waitFor({ timeout: 120_000 });
await page.screenshot({ path: file });
await browser.close();
