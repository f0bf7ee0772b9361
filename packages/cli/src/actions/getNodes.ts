import type { GetFlags } from '../commands/get.ts';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { nodeColumns } from '../nodes/nodeColumns.ts';
import { openSession } from '../session.ts';
import { didYouMean } from '../suggest.ts';
import { table } from '../text/table.ts';

/** What `ebb get` takes for the machines of clusters, which are no documents. */
export const nodeWords: readonly string[] = ['node', 'nodes', 'no'];

export async function getNodes(context: EbbContext, flags: GetFlags, name?: string): Promise<undefined> {
  const session = await openSession(context, flags);
  const fleets = await session.client.nodes();
  const all = fleets.flatMap(({ nodes }) => nodes);
  const nodes = all.filter(({ id }) => name === undefined || id === name);
  if (name !== undefined && nodes.length === 0) {
    const names = all.map(({ id }) => id);
    throw new Failure('failed', `there is no node "${name}".${didYouMean(name, names)}`);
  }
  const output = flags.json ? 'json' : (flags.output ?? 'table');
  const value = name === undefined ? { kind: 'NodeList', items: nodes, clusters: fleets.map(withoutNodes) } : nodes[0];
  if (output === 'json') context.json(value);
  else if (output === 'yaml') context.stdout.write((await import('yaml')).stringify(value, { lineWidth: 120 }));
  else {
    if (nodes.length === 0) context.note('no nodes: nothing is rented');
    else {
      const columns = nodeColumns({ wide: output === 'wide', nowMs: Date.now() });
      const [head = '', ...rows] = table(columns, nodes);
      context.out(context.colors.dim(head), ...rows);
    }
    for (const { cluster, problem, waiting } of fleets) {
      if (problem) context.note(`cluster ${cluster}: ${problem}`);
      if (waiting > 0)
        context.note(
          `cluster ${cluster}: ${waiting} ${waiting === 1 ? 'replica waits' : 'replicas wait'} for a place; ebb explain cluster/${cluster} says why`,
        );
    }
  }
}

function withoutNodes<Fleet extends { nodes: unknown }>({ nodes: _nodes, ...rest }: Fleet): Omit<Fleet, 'nodes'> {
  return rest;
}
