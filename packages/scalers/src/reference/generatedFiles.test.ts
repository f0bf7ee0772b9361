import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it, test } from 'vitest';
import { findScaler, scalers } from '../registry.ts';
import { generatedFiles, renderScalerPage } from './generatedFiles.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const files = generatedFiles();

test.each(files)('$path is up to date (npm run docs)', ({ path, text }) => {
  expect(existsSync(root + path) ? readFileSync(root + path, 'utf8') : '').toBe(text);
});

it('has a page for each scaler and no other', () => {
  expect(readdirSync(`${root}docs/scalers`).sort()).toEqual(
    [...scalers.map(({ type }) => `${type}.md`), 'README.md'].sort(),
  );
});

it('tells every setting with its place, default and what is allowed', () => {
  const kafka = findScaler('kafka');
  if (!kafka) throw new Error('no kafka');
  const page = renderScalerPage(kafka);
  for (const name of Object.keys(kafka.parameters)) expect(page).toContain(`| \`${name}\``);
  expect(page).toMatch(/\| `bootstrapServers` +\| metadata, bootstrapServersFromEnv +\| \*\*required\*\*/);
  expect(page).toMatch(/\| `lagThreshold` +\| metadata +\| `10` .*Allowed: a whole number, more than 0\./);
});
