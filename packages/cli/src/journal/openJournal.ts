import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connect, NotRunningError } from '@ebb/client';
import type { EbbContext } from '../context.ts';
import { findDataDirectory } from '../dataDirectory.ts';
import { fileSource } from './fileSource.ts';
import type { JournalSource } from './journalSource.ts';
import { pagedSource } from './pagedSource.ts';

/** The exported file that is named, else the running Ebb of the data folder, else the database it has left there. */
export async function openJournal(
  context: EbbContext,
  flags: { journal?: string; data?: string },
): Promise<JournalSource> {
  if (flags.journal !== undefined) return fileSource(resolve(context.workingDirectory, flags.journal), flags.journal);
  const { path } = findDataDirectory(flags.data, context.env, context.workingDirectory);
  try {
    const client = await connect({ dataDirectory: path });
    return pagedSource('the running Ebb', (range) => client.journal(range), {
      endMs: () => Date.now(),
      close: async () => {},
    });
  } catch (error) {
    const database = join(path, 'ebb.db');
    if (!(error instanceof NotRunningError) || !existsSync(database)) throw error;
    const { openSqliteStore } = await import('@ebb/controller');
    const store = await openSqliteStore(database);
    context.note(context.errorColors.dim(`no Ebb runs on ${path}: reading its database`));
    return pagedSource(database, (range) => store.journal.read(range), { close: () => store.close() });
  }
}
