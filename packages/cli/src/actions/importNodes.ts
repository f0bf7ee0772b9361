import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { importClusterAutoscaler, type Imported, importKarpenter, type ImportSource } from '@ebb/documents';
import type { ImportNodesFlags } from '../commands/importNodes.ts';
import type { EbbContext } from '../context.ts';
import { tellProblems } from '../documents.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { readSources } from '../files.ts';
import { documentText, fileNameOf } from '../importNodes/documentText.ts';
import { countLine, documentLines, fieldLines } from '../importNodes/render.ts';

type Import = (sources: readonly ImportSource[], clusterName?: string) => Imported;

export async function importFromKarpenter(context: EbbContext, flags: ImportNodesFlags): Promise<ExitName> {
  return importNodes(context, flags, importKarpenter);
}

export async function importFromClusterAutoscaler(context: EbbContext, flags: ImportNodesFlags): Promise<ExitName> {
  return importNodes(context, flags, importClusterAutoscaler);
}

async function importNodes(context: EbbContext, flags: ImportNodesFlags, read: Import): Promise<ExitName> {
  checkClusterName(flags.cluster);
  const imported = read(await readSources(context, flags.file), flags.cluster);
  const { documents, fields, problems } = imported;
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  // A half of what was meant is no plan for nodes.
  const written = flags.write !== undefined && errors === 0 ? writeAll(context, flags.write, imported) : null;
  const counts = {
    fields: fields.length,
    honoured: count(imported, 'honoured'),
    approximated: count(imported, 'approximated'),
    ignored: count(imported, 'ignored'),
  };
  if (flags.json) context.json({ counts, fields, documents, written: written ?? [], problems });
  else {
    tellProblems(context, problems);
    if (fields.length === 0) context.note('there is nothing in it to import');
    else context.out(...fieldLines(fields, context), '', context.colors.bold(countLine(counts)));
    context.out(...documentLines(documents, written, context.colors));
  }
  if (errors > 0) return 'usage';
  return counts.ignored === 0 ? 'ok' : 'failed';
}

function count({ fields }: Imported, wanted: Imported['fields'][number]['result']): number {
  return fields.filter(({ result }) => result === wanted).length;
}

function checkClusterName(name: string | undefined): void {
  if (name === undefined || /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return;
  throw new Failure('usage', `--cluster: "${name}" is no name of a Cluster.`, [
    'write lower-case letters, digits and dashes, at most 63, such as --cluster prod',
  ]);
}

/** Writes all files, or none where one is there already. */
function writeAll(context: EbbContext, folder: string, { documents }: Imported): string[] {
  const absolute = resolve(context.workingDirectory, folder);
  const names = documents.map(fileNameOf);
  const taken = names.find((name, index) => existsSync(join(absolute, name)) || names.indexOf(name) < index);
  if (taken !== undefined) {
    throw new Failure(
      'usage',
      `${join(folder, taken)} is there already, or would be written twice; nothing was written.`,
      ['name another folder with --write DIR'],
    );
  }
  mkdirSync(absolute, { recursive: true });
  return documents.map((document, index) => {
    const name = names[index] ?? '';
    writeFileSync(join(absolute, name), documentText(document), { flag: 'wx' });
    return join(folder, name);
  });
}
