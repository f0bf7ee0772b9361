import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ParsedDocument, type Problem, resolveScaledJob, resolveScaledObject } from '@ebb/documents';
import type { ImportKedaFlags } from '../commands/importKeda.ts';
import type { EbbContext } from '../context.ts';
import { readDocuments, tellProblems } from '../documents.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { readSources } from '../files.ts';
import { coverageOf, missingWorkloads } from '../importKeda/coverage.ts';
import { podSources } from '../importKeda/podSpecs.ts';
import { countLine, coverageLines, timingLines, workloadLines } from '../importKeda/render.ts';
import { type WorkloadSkeleton, workloadSkeleton } from '../importKeda/workloadSkeleton.ts';

export async function importKeda(context: EbbContext, flags: ImportKedaFlags): Promise<ExitName> {
  const sources = await readSources(context, flags.file);
  const { documents, problems } = readDocuments(sources, { allowForeign: true });
  const triggers = coverageOf(documents, problems);
  const missing = missingWorkloads(documents);
  const pods = podSources(sources);
  const skeletons = missing.map((one) => workloadSkeleton(one, pods));
  const unreadable = unreadableOf(problems, documents);
  const written = flags.write === undefined ? null : writeAll(context, flags.write, skeletons);
  const working = triggers.filter(({ result }) => result === 'works').length;
  if (flags.json) {
    const counts = { triggers: triggers.length, working };
    context.json({
      counts,
      triggers,
      missingWorkloads: missing,
      workloads: skeletons,
      written: written ?? [],
      problems,
    });
  } else {
    tellProblems(
      context,
      problems.filter((problem) => unreadable.includes(problem) || isOfObject(problem)),
    );
    if (triggers.length === 0) context.note('there is no trigger in it');
    else {
      context.out(...coverageLines(triggers, context), '', context.colors.bold(countLine(triggers)));
      context.out(...timingLines(documents.flatMap(improvementOf), context.colors));
    }
    context.out(...workloadLines(missing, skeletons, written, context));
  }
  if (unreadable.length > 0) return 'usage';
  return working === triggers.length ? 'ok' : 'failed';
}

/** Errors that keep a document out; those of triggers are in the table. */
function unreadableOf(problems: readonly Problem[], documents: readonly ParsedDocument[]): Problem[] {
  const isKnown = ({ file, line, column, path }: Problem) =>
    documents.some((document) =>
      (['value', 'key'] as const).some((part) => {
        const place = document.placeOf(path, part);
        return document.file === file && path !== '' && place.line === line && place.column === column;
      }),
    );
  return problems.filter((problem) => problem.severity === 'error' && !isKnown(problem));
}

/** Worth telling beside the table: what is wrong with an object as a whole. Triggers are in the table. */
function isOfObject({ severity, path, code }: Problem): boolean {
  if (path.startsWith('spec.triggers')) return code === 'unknown-setting' || code === 'misplaced-setting';
  return severity === 'error' || (code !== 'kind-not-used' && code !== 'unquoted-text');
}

function improvementOf(document: ParsedDocument): { improved: boolean }[] {
  if (document.kind === 'ScaledObject') return [{ improved: resolveScaledObject(document.document).improvements }];
  return document.kind === 'ScaledJob' ? [{ improved: resolveScaledJob(document.document).improvements }] : [];
}

/** Writes each skeleton to a file of its own. Throws before the first where one is there already. */
function writeAll(context: EbbContext, folder: string, skeletons: readonly WorkloadSkeleton[]): string[] {
  const several = new Set(skeletons.map(({ namespace }) => namespace)).size > 1;
  const files = skeletons.map(({ namespace, name, yaml }) => {
    const path = join(folder, `${several ? `${namespace}-` : ''}${name}.yaml`);
    return { path, absolute: resolve(context.workingDirectory, path), yaml };
  });
  const present = files.find(({ absolute }) => existsSync(absolute));
  if (present) throw new Failure('usage', `"${present.path}" is there already; nothing was written.`);
  if (files.length > 0) mkdirSync(resolve(context.workingDirectory, folder), { recursive: true });
  for (const { absolute, yaml } of files) writeFileSync(absolute, yaml, { flag: 'wx' });
  return files.map(({ path }) => path);
}
