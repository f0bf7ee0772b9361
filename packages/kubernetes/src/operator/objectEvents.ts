import type { KubernetesObject } from '../client/objects.ts';
import type { Resource } from '../client/resources.ts';
import { listAt, textAt } from '../client/values.ts';
import type { EventWriter, Regarded, ToldEvent } from '../store/eventWriter.ts';

/** Conditions whose change people hear of: what each is where it is true. */
const toldConditions: Readonly<Record<string, ToldEvent['type']>> = {
  Ready: 'Normal',
  Available: 'Normal',
  Contested: 'Warning',
  ExternalScale: 'Warning',
  ReplicaFailure: 'Warning',
  'ebb.dev/OutOfPath': 'Normal',
};

interface Change {
  readonly from: number;
  to: number;
  steps: number;
}

/** What people hear of objects: what was scaled and why, Jobs that were made, and conditions that have changed. */
export class ObjectEvents {
  readonly #writer: Pick<EventWriter, 'tell'>;
  /** By UID, what is not told yet. */
  readonly #scaled = new Map<string, Change>();
  readonly #made = new Map<string, number>();

  constructor(writer: Pick<EventWriter, 'tell'>) {
    this.#writer = writer;
  }

  /** The count of what an object scales was written. `why` is asked when it is told. */
  scaled(
    resource: Resource,
    object: KubernetesObject,
    change: { target: string; from: number; to: number },
    why: () => string,
  ): void {
    const known = this.#scaled.get(object.uid) ?? { from: change.from, to: change.to, steps: 0 };
    known.to = change.to;
    known.steps++;
    this.#scaled.set(object.uid, known);
    this.#writer.tell(resource, object, 'scale', () => {
      this.#scaled.delete(object.uid);
      return scaleEvent(object.kind, change.target, known, why());
    });
  }

  /** A Job of a ScaledJob was made. */
  jobMade(resource: Resource, object: KubernetesObject): void {
    this.#made.set(object.uid, (this.#made.get(object.uid) ?? 0) + 1);
    this.#writer.tell(resource, object, 'jobs', () => {
      const made = this.#made.get(object.uid) ?? 0;
      this.#made.delete(object.uid);
      return {
        type: 'Normal',
        reason: 'KEDAJobsCreated',
        action: 'Create',
        note: made === 1 ? 'created a Job' : `created ${made} Jobs`,
      };
    });
  }

  /** A status was written in the place of another one; null: there was none. */
  conditions(resource: Resource, object: Regarded, before: unknown, after: unknown): void {
    const was = new Map(listAt(before, 'conditions').map((one) => [textAt(one, 'type'), one]));
    for (const condition of listAt(after, 'conditions')) {
      const type = textAt(condition, 'type') ?? '';
      const event = changeOf(type, was.get(type), condition);
      if (event) this.#writer.tell(resource, object, type, () => event);
    }
  }
}

/** With KEDA's names where they mean the same. */
function scaleEvent(kind: string, target: string, { from, to, steps }: Change, why: string): ToldEvent {
  const prefix = kind === 'ScaledObject' ? 'KEDA' : '';
  const reason =
    from === 0 && to > 0
      ? `${prefix}ScaleTargetActivated`
      : to === 0 && from > 0
        ? `${prefix}ScaleTargetDeactivated`
        : 'Scaled';
  const inSteps = steps > 1 ? ` in ${steps} steps` : '';
  return {
    type: 'Normal',
    reason,
    action: 'Scale',
    note: `scaled ${target} from ${from} to ${to}${inSteps}${why === '' ? '' : `: ${why}`}`,
  };
}

/** Null: nothing that people have to hear. */
function changeOf(type: string, before: unknown, after: unknown): ToldEvent | null {
  const whenTrue = toldConditions[type];
  const [was, is] = [textAt(before, 'status'), textAt(after, 'status')];
  const [reasonBefore, reason] = [textAt(before, 'reason') ?? '', textAt(after, 'reason') || type];
  const note = textAt(after, 'message') || reason;
  if (!whenTrue || (was === is && reasonBefore === (textAt(after, 'reason') ?? ''))) return null;
  const isReadiness = type === 'Ready' || type === 'Available';
  if (isReadiness && is === 'False') return { type: 'Warning', reason, action: 'Reconcile', note };
  // That all is well is news only where it was not: thousands are taken in at once when an operator begins.
  if (isReadiness && was !== 'False') return null;
  return is === 'True' ? { type: whenTrue, reason, action: 'Reconcile', note } : null;
}
