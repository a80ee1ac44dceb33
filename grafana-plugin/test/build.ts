// Builds the plugin and the host page once before the browser tests: they see what users get.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Vitest calls this first. */
export function setup(): void {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  execFileSync(process.execPath, ['--import', 'tsx', 'scripts/build.ts', '--host'], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
