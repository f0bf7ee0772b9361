import { StoreError, type StoredDocument } from '@ebb/core';
import { folderOf, keyText, resolveWorkload, type WorkloadSpec } from '@ebb/documents';
import type { EngineContext } from './context.ts';
import { type DependencyGraph, findCycle } from './dependencies.ts';
import { findRouteConflict } from './routes.ts';
import { ApplyError, type ApplyInput, type ApplyOutcome } from './types.ts';

const workloadKind = 'Workload';

/** A workload's document with everything in core units. Throws when it is not valid. */
export function resolveStored(document: Pick<StoredDocument, 'document' | 'origin'>): WorkloadSpec {
  const baseDirectory = document.origin?.startsWith('/') ? folderOf(document.origin) : '/';
  return resolveWorkload(document.document, { baseDirectory });
}

export function isWorkload(kind: string): boolean {
  return kind === workloadKind;
}

/** Checks a batch as a whole, against itself and what is there. Throws `ApplyError`; stores nothing. */
export function checkApply(context: EngineContext, inputs: readonly ApplyInput[]): Map<number, WorkloadSpec> {
  const specs = new Map<number, WorkloadSpec>();
  const seen = new Set<string>();
  for (const [index, input] of inputs.entries()) {
    const id = `${input.kind} ${keyText(input.key)}`;
    if (seen.has(id)) throw new ApplyError('invalid', `${id} is in the batch twice`, index, 'metadata.name');
    seen.add(id);
    if (!isWorkload(input.kind)) continue;
    try {
      specs.set(index, resolveStored(input));
    } catch (error) {
      throw new ApplyError('invalid', error instanceof Error ? error.message : String(error), index, '');
    }
  }
  const candidates = [...specs.values()];
  const indexes = [...specs.keys()];
  const present = [...context.workloads.values()].filter((state) => !state.removed).map((state) => state.spec);
  const conflict = findRouteConflict(candidates, present);
  if (conflict) {
    const own = candidates[conflict.index];
    const message = `${conflict.route}: workload ${own ? nameOf(own) : ''} and workload ${conflict.owner} have the same route`;
    throw new ApplyError('route-conflict', message, indexes[conflict.index] ?? 0, conflict.path);
  }
  checkCycles(candidates, indexes, present);
  return specs;
}

function checkCycles(candidates: WorkloadSpec[], indexes: number[], present: WorkloadSpec[]): void {
  const graph = new Map<string, string[]>();
  for (const spec of [...present, ...candidates]) graph.set(keyText(spec.key), spec.dependsOn.map(keyText));
  const dependencies: DependencyGraph = graph;
  for (const [position, spec] of candidates.entries()) {
    const cycle = findCycle(dependencies, keyText(spec.key));
    if (!cycle) continue;
    const message = `workloads depend on each other: ${cycle.join(' → ')}`;
    throw new ApplyError('dependency-cycle', message, indexes[position] ?? 0, 'spec.dependsOn');
  }
}

/** Stores the batch: all of it, or, when something fails on the way, nothing. */
export async function storeBatch(context: EngineContext, inputs: readonly ApplyInput[]): Promise<ApplyOutcome[]> {
  const { store, clock } = context.ports;
  const { epoch } = context.options;
  const before: (StoredDocument | null)[] = [];
  for (const [index, input] of inputs.entries()) {
    const found = await store.documents.get(input.kind, input.key);
    before.push(found);
    if (input.expectedVersion !== undefined && input.expectedVersion !== (found?.resourceVersion ?? 0)) {
      throw conflictError(input, found, index);
    }
  }
  const outcomes: ApplyOutcome[] = [];
  for (const [index, input] of inputs.entries()) {
    const found = before[index] ?? null;
    const { kind, key } = input;
    if (found && isSame(found, input)) {
      outcomes.push({ kind, key, action: 'unchanged', stored: found });
      continue;
    }
    try {
      const stored = await store.documents.put({
        apiVersion: input.apiVersion,
        kind,
        key,
        document: input.document,
        origin: input.origin,
        atMs: clock.nowMs(),
        epoch,
        // What was looked at above must be what is replaced.
        ...(found ? { expectedVersion: found.resourceVersion } : {}),
      });
      outcomes.push({ kind, key, action: found ? 'configured' : 'created', stored });
    } catch (error) {
      await undo(context, outcomes, before);
      if (error instanceof StoreError && error.code === 'conflict') throw conflictError(input, found, index);
      throw error;
    }
  }
  return outcomes;
}

async function undo(
  context: EngineContext,
  outcomes: readonly ApplyOutcome[],
  before: readonly (StoredDocument | null)[],
): Promise<void> {
  const { store, clock, log } = context.ports;
  const { epoch } = context.options;
  for (const [index, { kind, key, action }] of outcomes.entries()) {
    if (action === 'unchanged') continue;
    const found = before[index];
    try {
      if (found) await store.documents.put({ ...found, atMs: clock.nowMs(), epoch });
      else await store.documents.delete(kind, key, { epoch });
    } catch (error) {
      log('error', 'a half-stored batch could not be undone', { kind, key: keyText(key), error: String(error) });
    }
  }
}

function isSame(found: StoredDocument, input: ApplyInput): boolean {
  return (
    found.apiVersion === input.apiVersion &&
    found.origin === input.origin &&
    JSON.stringify(found.document) === JSON.stringify(input.document)
  );
}

function conflictError(input: ApplyInput, found: StoredDocument | null, index: number): ApplyError {
  const now = found ? `is at version ${found.resourceVersion}` : 'does not exist';
  const expected = input.expectedVersion === undefined ? '' : `, expected version ${input.expectedVersion}`;
  return new ApplyError('conflict', `${input.kind} ${keyText(input.key)} ${now}${expected}`, index, 'metadata');
}

function nameOf(spec: WorkloadSpec): string {
  return keyText(spec.key);
}
