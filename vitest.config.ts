import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Tests run on the sources of every package, so that a test can be run without a build. (The processes that the
// end-to-end tests start are the built ones: `npm test` builds first.)
const alias = [
  { find: '@ebb/testing/services', replacement: here('./packages/testing/src/services/index.ts') },
  { find: '@ebb/testing/conformance', replacement: here('./packages/testing/src/conformance/index.ts') },
  { find: '@ebb/core/dispatch', replacement: here('./packages/core/src/dispatch/dispatcher.ts') },
  { find: '@ebb/core/gpu', replacement: here('./packages/core/src/nodes/gpu/gpu.ts') },
  ...readdirSync(here('./packages')).map((name) => ({
    find: new RegExp(`^@ebb/${name}$`),
    replacement: here(`./packages/${name}/src/index.ts`),
  })),
];

const exclude = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    pool: 'forks',
    // A process for each of 150 small files costs more than all the tests in them.
    isolate: false,
    maxWorkers: 2,
    // A cluster that was brought along is one for all: its definitions are everybody's.
    fileParallelism: !process.env.KUBECONFIG_DISPOSABLE,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'examples/**/*.test.ts', 'tools/**/*.test.ts', 'e2e/**/*.test.ts'],
          exclude: [...exclude, '**/*.browser.test.ts', '**/*.services.test.ts', '**/*.kubernetes.test.ts'],
        },
      },
      ...(['browser', 'services'] as const).map((name) => ({
        resolve: { alias },
        test: { name, include: [`**/*.${name}.test.ts`], exclude, testTimeout: 300_000, hookTimeout: 300_000 },
      })),
      {
        resolve: { alias },
        // Two control planes at once have their own pace on a small machine: what is waited for has limits of its own.
        test: {
          name: 'kubernetes',
          include: ['**/*.kubernetes.test.ts'],
          exclude,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
