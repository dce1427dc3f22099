import { defineConfig } from 'vitest/config';

/** `unit` is the inner loop; `contract` drives the local services through the real SDK; `e2e` runs the whole local cloud. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/contracts/**', 'test/e2e/**'],
          // Never reached on an idle machine; a busy one is not wrong.
          testTimeout: 30_000,
          maxWorkers: '100%',
        },
      },
      {
        test: { name: 'contract', include: ['test/contracts/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
