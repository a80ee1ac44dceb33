import { defineConfig } from 'vitest/config';

// Two projects: `unit` needs nothing but Node; `kernel` drives real servers through the real kernel as root,
// one file at a time, because a node has one kernel.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['{agent,verdict}/src/**/*.test.ts', 'verdict/sim/**/*.test.ts'] } },
      {
        test: {
          name: 'kernel',
          include: ['test/integration/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
