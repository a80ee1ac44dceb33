// The host page, the built plugin and Grafana's own files in; an address on this machine that serves them out.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

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

/** Serves the page until it is closed. */
export async function serveHost(): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const file = fileOf(normalize(new URL(request.url ?? '/', 'http://host').pathname));
    readFile(file).then(
      (body) => response.writeHead(200, { 'content-type': types[extname(file)] ?? 'text/html' }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: async () => {
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
