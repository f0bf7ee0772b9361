import type { JournalExportFlags } from '../commands/journalExport.ts';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { workloadKey } from '../journal/keys.ts';
import { openJournal } from '../journal/openJournal.ts';
import { parseMoment } from '../timeArgument.ts';

/** Lines written at once. */
const chunkLines = 200;

export async function journalExport(
  context: EbbContext,
  flags: JournalExportFlags,
  ...names: string[]
): Promise<undefined> {
  const nowMs = Date.now();
  const sinceMs = flags.since === undefined ? 0 : parseMoment(flags.since, nowMs);
  const untilMs = flags.until === undefined ? Number.POSITIVE_INFINITY : parseMoment(flags.until, nowMs);
  const workloads = names.map((name) => workloadKey(name, flags.namespace));
  const source = await openJournal(context, flags);
  let count = 0;
  try {
    let lines: string[] = [];
    for await (const record of source.records({ workloads, sinceMs })) {
      if (record.atMs > untilMs) break;
      lines.push(`${JSON.stringify(record)}\n`);
      count++;
      if (lines.length < chunkLines) continue;
      context.stdout.write(lines.join(''));
      lines = [];
    }
    if (lines.length > 0) context.stdout.write(lines.join(''));
  } finally {
    await source.close();
  }
  if (count === 0) throw new Failure('failed', `${source.name} has no such records.`);
}
