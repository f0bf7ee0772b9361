import { readFileSync } from 'node:fs';

/** This Ebb's version: of the package that holds the control plane. */
export function readVersion(): string {
  const value: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  if (typeof value === 'object' && value !== null && 'version' in value && typeof value.version === 'string')
    return value.version;
  throw new Error('package.json of the controller has no version');
}
