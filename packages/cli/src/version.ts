import { createRequire } from 'node:module';

const manifest: unknown = createRequire(import.meta.url)('../package.json');

function versionOf(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'version' in value && typeof value.version === 'string') {
    return value.version;
  }
  throw new Error('packages/cli/package.json has no version');
}

export const cliVersion = versionOf(manifest);
