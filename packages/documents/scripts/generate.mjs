// Writes schemas/*.json and docs/reference/documents/*.md from the schemas of this package. Needs `npm run build`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from '../dist/index.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

for (const { path, text } of generatedFiles()) {
  const file = `${root}${path}`;
  mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true });
  writeFileSync(file, text);
  process.stdout.write(`${path}\n`);
}
