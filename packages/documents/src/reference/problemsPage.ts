import { problemCodes } from '../problemCodes.ts';
import { markdownTable } from './table.ts';

/** The reference page of all codes of problems. */
export function renderProblemsPage(): string {
  const rows = Object.entries(problemCodes).map(([code, meaning]) => [`\`${code}\``, meaning]);
  return [
    '<!-- Generated from the schemas of packages/documents; do not edit. -->',
    '',
    '# Problems in documents',
    '',
    'The `code` of each problem that `ebb validate --json` and the API report.',
    '',
    markdownTable(['code', 'meaning'], rows),
    '',
  ].join('\n');
}
