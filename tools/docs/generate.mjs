// Writes every generated file from its one source, or, with --check, says which are not as they would be written.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const check = process.argv.includes('--check');

/** @type {{ path: string, text: string }[]} */
const files = [];
for (const source of ['documents', 'scalers', 'kubernetes']) {
  const { generatedFiles } = await import(`./${source}.mjs`);
  files.push(...(await generatedFiles()));
}

const stale = files.filter(
  ({ path, text }) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text,
);
if (check) {
  for (const { path } of stale) console.log(`not up to date: ${path} (run npm run docs)`);
} else {
  for (const { path, text } of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(`wrote ${relative(process.cwd(), join(root, path))}`);
  }
}
process.exit(check && stale.length > 0 ? 1 : 0);
