import {
  type ClusterSpec,
  type NodePoolSpec,
  type ParsedDocument,
  resolveCluster,
  resolveNodePool,
} from '@ebb/documents';
import type { EbbContext } from '../context.ts';
import { readDocuments, refuseProblems } from '../documents.ts';
import type { SourceText } from '../files.ts';

export interface NodeDocuments {
  documents: ParsedDocument[];
  pools: NodePoolSpec[];
  clusters: ClusterSpec[];
}

/** Clusters and NodePools of the sources. Throws where a document is not right. */
export function nodeDocuments(
  context: EbbContext,
  sources: readonly SourceText[],
  { json, consequence }: { json: boolean; consequence: string },
): NodeDocuments {
  const { documents, problems } = readDocuments(sources, { checksTriggers: false });
  // That this machine has no nodes is no news here.
  const told = problems.filter(({ code, severity }) => code !== 'mode-not-available' || severity === 'error');
  refuseProblems(context, told, { json, consequence });
  return {
    documents,
    pools: documents.filter(({ kind }) => kind === 'NodePool').map((one) => resolveNodePool(one.document)),
    clusters: documents.filter(({ kind }) => kind === 'Cluster').map((one) => resolveCluster(one.document)),
  };
}
