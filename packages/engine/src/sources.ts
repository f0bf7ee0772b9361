import type { StoredDocument } from '@ebb/core';
import { keyText } from '@ebb/documents';
import type { EngineContext } from './context.ts';
import type { ScaledJobs } from './jobs/scaledJobs.ts';
import { messageOf } from './replicaActions.ts';
import { targetKey } from './scaledObjects.ts';
import { bindScaling, scaledWorkloads, usesAuthentication } from './scaling.ts';
import { resolveStored } from './documents.ts';

/** Documents that route requests to workloads. */
const routeKinds = ['HTTPScaledObject', 'InterceptorRoute'];
/** Documents that say how triggers sign in. */
const signInKinds = ['TriggerAuthentication', 'ClusterTriggerAuthentication', 'Secret', 'ConfigMap'];

/** Takes in what is stored of documents that decide what workloads are scaled by. */
export async function loadSources({ ports, scaledObjects, httpRoutes }: EngineContext): Promise<void> {
  const lists = await Promise.all(['ScaledObject', ...routeKinds].map((kind) => ports.store.documents.list(kind)));
  for (const stored of lists.flat()) {
    try {
      if (stored.kind === 'ScaledObject') scaledObjects.put(stored);
      else httpRoutes.put(stored);
    } catch (error) {
      const key = keyText(stored.key);
      ports.log('error', 'a stored document cannot be read and is left alone', {
        kind: stored.kind,
        key,
        error: messageOf(error),
      });
    }
  }
}

/** Follows documents that decide what other workloads are scaled by, or how triggers sign in. */
export function followSources(
  context: EngineContext,
  jobs: ScaledJobs,
  changed: readonly StoredDocument[],
  isGone = false,
): void {
  const { scaledObjects } = context;
  const affected = new Set<string>();
  for (const stored of changed) {
    const key = keyText(stored.key);
    if (stored.kind === 'ScaledObject') {
      const before = scaledObjects.get(key);
      if (before) affected.add(targetKey(before.spec));
      if (isGone) scaledObjects.remove(key);
      else affected.add(targetKey(scaledObjects.put(stored).spec));
    } else if (routeKinds.includes(stored.kind)) {
      for (const workload of routed(context, stored, isGone)) affected.add(workload);
    } else if (stored.kind === 'ScaledJob') {
      if (isGone) jobs.remove(key);
      else jobs.put(stored);
    } else if (signInKinds.includes(stored.kind)) {
      const namespace = stored.kind === 'ClusterTriggerAuthentication' ? null : stored.key.namespace;
      for (const known of scaledObjects.list()) {
        if (usesAuthentication(known, namespace)) affected.add(targetKey(known.spec));
      }
      jobs.reopen(namespace);
    }
  }
  for (const state of scaledWorkloads(context, ...affected)) {
    bindScaling(context, state, resolveStored(state.stored));
  }
}

/** Workloads that a document of routes spoke of and speaks of now, with those whose triggers may name it. */
function routed({ httpRoutes, scaledObjects }: EngineContext, stored: StoredDocument, isGone: boolean): string[] {
  const before = httpRoutes.workloadOf(stored);
  if (isGone) httpRoutes.remove(stored);
  else httpRoutes.put(stored);
  const naming = scaledObjects
    .list()
    .filter(({ spec }) => spec.triggers.some(({ metadata }) => metadata.interceptorRoute === stored.key.name));
  return [before, httpRoutes.workloadOf(stored), ...naming.map(({ spec }) => targetKey(spec))].filter(
    (key) => key !== null,
  );
}
