import type { DeleteFlags } from '../commands/delete.ts';
import type { EbbContext } from '../context.ts';
import { checkSources } from '../documents.ts';
import { Failure } from '../failure.ts';
import { readSources } from '../files.ts';
import { findKind, type Kind } from '../kinds.ts';
import { clusterOfPool } from '../nodePools.ts';
import { openSession, type Session } from '../session.ts';
import { didYouMean } from '../suggest.ts';

interface Target {
  kind: Kind;
  name: string;
  namespace: string;
  /** Left out: the local one, or for a node pool the only one that has it. */
  cluster?: string;
}

/** Deletes one object and says so. Throws where it is not there, with the nearest that is. */
export async function deleteOne(context: EbbContext, session: Session, target: Target, json: boolean): Promise<void> {
  const gone = await remove(session, target);
  if (gone === null) throw await notFound(session, target);
  const { kind, name, namespace } = target;
  if (json) context.json({ deleted: [{ kind: kind.kind, namespace, name, existed: true }] });
  else context.out(`${kind.singular}/${name} deleted`);
}

export async function deleteObjects(
  context: EbbContext,
  flags: DeleteFlags,
  kind?: string,
  name?: string,
): Promise<undefined> {
  const targets = await findTargets(context, flags, kind, name);
  const session = await openSession(context, flags);
  const deleted: { kind: string; namespace: string; name: string; existed: boolean }[] = [];
  for (const target of targets) {
    const gone = await remove(session, target);
    if (gone === null && kind !== undefined) throw await notFound(session, target);
    deleted.push({ kind: target.kind.kind, namespace: target.namespace, name: target.name, existed: gone !== null });
    if (!flags.json)
      context.out(`${target.kind.singular}/${target.name} ${gone === null ? 'was not there' : 'deleted'}`);
  }
  if (flags.json) context.json({ deleted });
}

async function findTargets(context: EbbContext, flags: DeleteFlags, kind?: string, name?: string): Promise<Target[]> {
  if (flags.file && flags.file.length > 0) {
    if (kind !== undefined) throw new Failure('usage', 'give either KIND NAME or -f FILE, not both.');
    const documents = checkSources(context, await readSources(context, flags.file), flags.json ?? false);
    return documents.map(({ kind: documentKind, key }) => ({
      kind: findKind(documentKind),
      name: key.name,
      namespace: key.namespace,
      cluster: key.cluster,
    }));
  }
  if (kind === undefined || name === undefined) {
    throw new Failure('usage', 'say what to delete.', [
      'ebb delete KIND NAME, such as: ebb delete workload upscaler',
      'or: ebb delete -f FILE',
    ]);
  }
  return [{ kind: findKind(kind), name, namespace: flags.namespace ?? 'default' }];
}

async function remove(session: Session, { kind, name, namespace, cluster }: Target) {
  const found = kind.kind === 'NodePool' ? (cluster ?? (await clusterOfPool(session, name, namespace))) : cluster;
  return session.client.delete(kind.plural, name, { namespace, ...(found === undefined ? {} : { cluster: found }) });
}

/** The failure for an object that is not there, with the nearest that is. */
export async function notFound({ client }: Session, { kind, name, namespace }: Target): Promise<Failure> {
  const everywhere = kind.kind === 'NodePool' ? { cluster: '*' } : {};
  const objects = await client.list(kind.plural, { namespace, ...everywhere });
  const names = objects.map((object) => object.metadata.name);
  const place = namespace === 'default' ? '' : ` in namespace ${namespace}`;
  return new Failure('failed', `there is no ${kind.singular} "${name}"${place}.${didYouMean(name, names)}`, [
    names.length > 0
      ? `there ${names.length === 1 ? 'is' : 'are'}: ${names.join(', ')}`
      : `there are no ${kind.plural} at all`,
  ]);
}
