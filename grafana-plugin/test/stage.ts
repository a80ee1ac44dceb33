// Debian's Chromium and the host page, served from this machine, in; a stage on which panels are shown out.
import { createServer } from 'node:http';
import { mkdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import type { Scene } from '../host/main.tsx';

export interface Stage {
  readonly page: Page;
  /** Shows a scene; resolves to the ms from data to paint. */
  readonly show: (scene: Scene) => Promise<number>;
  /** Keeps a picture of the whole panel among the test's results. */
  readonly picture: (name: string) => Promise<void>;
  /** What the page has complained of. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
}

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const pictures = folder('../../test/results/panel');
/** The fonts that Grafana's server has. */
const fonts: Readonly<Record<string, string>> = {
  '/public/fonts/inter/Inter-Regular.woff2': 'inter-latin-400-normal.woff2',
  '/public/fonts/inter/Inter-Medium.woff2': 'inter-latin-500-normal.woff2',
};
/** Paths of the page and where they come from. */
const roots: Readonly<Record<string, string>> = {
  '/host/': folder('../host/dist/'),
  '/plugin/': folder('../dist/'),
  '/public/': folder('../../node_modules/@grafana/ui/dist/public/'),
};
const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Opens the host page; nothing outside this machine can be reached from it. */
export async function openStage(): Promise<Stage> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://host').pathname);
    const file = fileOf(path);
    readFile(file).then(
      (body) => response.writeHead(200, { 'content-type': types[extname(file)] ?? 'text/html' }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
  });
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.evaluate(async () => {
    await window.plumblineHost;
  });
  return {
    page,
    complaints,
    show: async (scene) => {
      await page.setViewportSize({ width: scene.width + 24, height: scene.height + 24 });
      return page.evaluate(async (shown) => (await window.plumblineHost).show(shown), scene);
    },
    picture: async (name) => {
      await mkdir(pictures, { recursive: true });
      await page.screenshot({ path: `${pictures}/${name}.png` });
    },
    close: async () => {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function fileOf(path: string): string {
  const font = fonts[path];
  if (font !== undefined) return folder(`../../node_modules/@fontsource/inter/files/${font}`);
  const root = Object.keys(roots).find((prefix) => path.startsWith(prefix));
  return root === undefined ? folder('../host/index.html') : (roots[root] ?? '') + path.slice(root.length);
}
