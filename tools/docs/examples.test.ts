import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocuments, problemText } from '@ebb/documents';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** A page's YAML: whole documents as they stand, also Clarifai's, pieces of a Workload put into one. */
function documentsIn(text: string): string[] {
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, yaml = '']) => {
    if (/^(apiVersion|compute_cluster|nodepool|deployment):/m.test(yaml)) return yaml;
    const head = 'apiVersion: ebb.dev/v1alpha1\nkind: Workload\nmetadata: { name: example }\n';
    const classes = /^ *classes:/m.test(yaml)
      ? ''
      : '  classes: [{ name: default, command: [./serve], concurrency: 4 }]\n';
    if (/^spec:/m.test(yaml)) return head + yaml.replace(/^spec:\n/m, `spec:\n${classes}`);
    const spec = yaml.replace(/^(?=.)/gm, '  ');
    return `${head}spec:\n${classes}${spec}`;
  });
}

describe('the YAML of the pages', () => {
  const examples = pages.flatMap((page) =>
    documentsIn(readFileSync(join(root, page), 'utf8')).map((text) => ({ page, text })),
  );

  it('is found', () => expect(examples.length).toBeGreaterThan(4));

  it.each(examples)('of $page is accepted ($#)', ({ page, text }) => {
    // A Deployment may stand beside what is scaled: it is named and left aside.
    const { documents, problems } = parseDocuments(text, { file: page, allowForeign: true });
    const errors = problems.filter((problem) => problem.severity === 'error');
    expect(errors.map(problemText).join('\n')).toBe('');
    expect(documents.length + problems.length).toBeGreaterThan(0);
  });

  it.each(pages)('of %s links only to what is there', (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const folder = join(root, page, '..');
    for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [parent, name] = [join(folder, target, '..'), target.split('/').at(-1) ?? ''];
      expect(readdirSync(parent), `${page} links to ${target}`).toContain(name);
    }
  });
});
