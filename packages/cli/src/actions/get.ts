import type { ApiObject } from '@ebb/client';
import type { GetFlags } from '../commands/get.ts';
import type { EbbContext } from '../context.ts';
import { findKind, type Kind } from '../kinds.ts';
import { objectColumns } from '../objectColumns.ts';
import { openSession } from '../session.ts';
import { table } from '../text/table.ts';
import { notFound } from './delete.ts';
import { getNodes, nodeWords } from './getNodes.ts';

export async function get(context: EbbContext, flags: GetFlags, kindWord: string, name?: string): Promise<undefined> {
  if (nodeWords.includes(kindWord.toLowerCase())) return getNodes(context, flags, name);
  const kind = findKind(kindWord);
  const output = flags.json ? 'json' : (flags.output ?? 'table');
  const session = await openSession(context, flags);
  const namespace = flags.allNamespaces ? '*' : (flags.namespace ?? 'default');
  let objects: ApiObject[];
  if (kind.kind === 'NodePool') {
    // Their names are unique within a cluster only, and most are not of the local one.
    const all = await session.client.list(kind.plural, { namespace, cluster: '*' });
    objects = all.filter(({ metadata }) => name === undefined || metadata.name === name);
    if (name !== undefined && objects.length === 0) throw await notFound(session, { kind, name, namespace });
  } else if (name === undefined) {
    objects = await session.client.list(kind.plural, { namespace });
  } else {
    const found = await session.client.get(kind.plural, name, { namespace: flags.namespace ?? 'default' });
    if (!found) throw await notFound(session, { kind, name, namespace: flags.namespace ?? 'default' });
    objects = [found];
  }
  const shown = objects.map(asWritten);
  const value = name === undefined || shown.length > 1 ? listOf(kind, shown) : shown[0];
  if (output === 'json') context.json(value);
  else if (output === 'yaml') context.stdout.write((await import('yaml')).stringify(value, { lineWidth: 120 }));
  else if (objects.length === 0)
    context.note(`no ${kind.plural}${namespace === '*' ? '' : ` in namespace ${namespace}`}`);
  else {
    const columns = objectColumns(kind.kind, {
      wide: output === 'wide',
      namespaces: namespace === '*',
      nowMs: Date.now(),
    });
    const [head = '', ...rows] = table(columns, objects);
    context.out(context.colors.dim(head), ...rows);
  }
}

/** Kinds without a `spec`, such as Secret, have their fields beside metadata. */
function asWritten(object: ApiObject): unknown {
  if (object.kind !== 'Secret' && object.kind !== 'ConfigMap') return object;
  const { spec, ...frame } = object;
  return typeof spec === 'object' && spec !== null ? { ...frame, ...spec } : frame;
}

function listOf(kind: Kind, items: unknown[]) {
  return { apiVersion: 'ebb.dev/v1alpha1', kind: `${kind.kind}List`, items };
}
