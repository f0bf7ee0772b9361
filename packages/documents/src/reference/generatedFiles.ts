import { customResourceDefinition, ownKindNames } from '../crd/crd.ts';
import { kindNames, kindOf } from '../kinds.ts';
import { jsonSchemaOf, jsonText } from './jsonSchema.ts';
import { yamlText } from '../yamlText.ts';
import { renderProblemsPage } from './problemsPage.ts';
import { renderReferencePage, schemaFileName } from './page.ts';

/** Every file that comes out of the schemas, with its path from the root of the repository. */
export function generatedFiles(): { path: string; text: string }[] {
  const index = [
    '<!-- Generated from the schemas of packages/documents; do not edit. -->',
    '# Documents',
    'What Ebb is told, it is told in documents. A file may hold several, separated by `---`.',
    'What is wrong in one is told with file, line and column, all of it at once; each problem has one of these [codes](problems.md).',
    kindNames.map((name) => `- [${name}](${pageFileName(name)}): ${kindOf(name).summary}`).join('\n'),
  ];
  return [
    { path: 'docs/reference/documents/README.md', text: `${index.join('\n\n')}\n` },
    { path: 'docs/reference/documents/problems.md', text: renderProblemsPage() },
    ...kindNames.flatMap((name) => [
      { path: `docs/reference/documents/${pageFileName(name)}`, text: renderReferencePage(name) },
      { path: `schemas/${schemaFileName(name)}`, text: `${jsonText(jsonSchemaOf(name))}\n` },
    ]),
    ...ownKindNames.map((name) => ({
      path: `manifests/crds/${kindOf(name).plural}.yaml`,
      text: `# Generated from the schemas of packages/documents; do not edit.\n${yamlText([customResourceDefinition(name)])}`,
    })),
  ];
}

function pageFileName(name: (typeof kindNames)[number]): string {
  return schemaFileName(name).replace('.json', '.md');
}
