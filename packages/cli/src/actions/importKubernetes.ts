import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ImportKubernetesFlags } from '../commands/importKubernetes.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { importCluster, type ImportedFile } from '../importKubernetes/importCluster.ts';
import { madeUpLoad, readmeText, rehearsedNames } from '../importKubernetes/readme.ts';
import { importedLines } from '../importKubernetes/render.ts';
import { withCluster } from '../kubernetes/withCluster.ts';

export async function importKubernetes(context: EbbContext, flags: ImportKubernetesFlags): Promise<ExitName> {
  const { readCluster } = await import('@ebb/kubernetes');
  const cluster = await withCluster(flags.kubeconfig, (client) => readCluster(client, flags.namespace ?? null));
  const imported = importCluster(cluster, { all: flags.all ?? false });
  const names = rehearsedNames(imported);
  const folder = flags.out;
  const written =
    folder === undefined
      ? null
      : writeAll(context, folder, [
          ...imported.files,
          ...(names.length > 0 ? [{ path: 'rehearsal/load.csv', text: madeUpLoad(names) }] : []),
          { path: 'README.md', text: readmeText(cluster, imported, folder) },
        ]);
  const { missing, forbidden } = cluster;
  if (flags.json) context.json({ objects: imported.fates, missing, forbidden, written: written ?? [] });
  else context.out(...importedLines(context, cluster, imported, { folder: folder ?? null, written }));
  return forbidden.length > 0 ? 'failed' : 'ok';
}

/** Writes all files, or none where the folder has something in its way. Only their user may read them. */
function writeAll(context: EbbContext, folder: string, files: readonly ImportedFile[]): string[] {
  const root = resolve(context.workingDirectory, folder);
  const taken = files.find(({ path }) => existsSync(join(root, path)));
  if (taken) {
    throw new Failure('usage', `${join(folder, taken.path)} is there already; nothing was written.`, [
      'name another folder with --out FOLDER',
    ]);
  }
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(root, path), text, { flag: 'wx', mode: 0o600 });
  }
  return files.map(({ path }) => join(folder, path));
}
