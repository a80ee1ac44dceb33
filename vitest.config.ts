import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Six projects: `unit` needs nothing but Node; `judge` asks a real Prometheus; `agent` starts the agent as users do, and
// breaks what it needs, and looks at the programs that it loads; `kernel` drives real servers through the real kernel as root, one file at a time, because it
// measures; `browser` shows the built Grafana panel in Chromium; `image` builds the image and runs it, which takes minutes.
const alias = { '@plumbline/verdict': fileURLToPath(new URL('verdict/src/index.ts', import.meta.url)) };

export default defineConfig({
  test: {
    // Where files may run side by side, they mostly wait: for an agent, a server, a Prometheus.
    maxWorkers: 3,
    projects: [
      {
        // Tests of one package see the source of another, so that nothing has to be built first.
        resolve: { alias },
        test: {
          name: 'unit',
          include: [
            '{agent,verdict,grafana-plugin}/src/**/*.test.ts',
            'grafana-plugin/page/**/*.test.ts',
            'verdict/sim/**/*.test.ts',
            'deploy/**/*.test.ts',
          ],
          // These files change nothing outside of their tests, and a process for each would take twice the time.
          isolate: false,
          // Some simulate: a busy machine takes its time.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'judge',
          include: ['test/judge/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'agent',
          include: ['test/{agent,programs}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'kernel',
          include: ['test/integration/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'browser',
          include: ['grafana-plugin/test/**/*.test.ts'],
          globalSetup: 'grafana-plugin/test/build.ts',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'image', include: ['test/image/**/*.test.ts'] } },
    ],
  },
});
