import { conditionOf, textAt } from '../client/values.ts';
import { type Inventory, inventoryManifest, together } from './inventory.ts';
import { refOf, refText } from './names.ts';
import type { InstallPlan } from './plan.ts';
import { InstallRefusal } from './refusal.ts';
import type { InstallServer } from './server.ts';

/** Ways to wait that a test replaces. */
export interface Waiting {
  nowMs(): number;
  pause(delayMs: number): Promise<void>;
}

export interface ExecuteOptions {
  readonly server: InstallServer;
  readonly plan: InstallPlan;
  readonly namespace: string;
  readonly force: boolean;
  readonly settings: Inventory['settings'];
  readonly waiting: Waiting;
}

const establishedWithinMs = 60_000;
const lookEveryMs = 250;

/**
 * Does what was planned: definitions first, until the API server serves them, then the namespace, the note of what belongs to the
 * installation, and the rest; what is not in the set any more goes last. Broken off, a later run goes on from there.
 */
export async function executeInstall(options: ExecuteOptions): Promise<void> {
  const { server, plan, namespace, force, settings } = options;
  const objects = plan.applied.map(refOf);
  const note = (refs: Inventory['objects']) =>
    apply(server, inventoryManifest(namespace, { version: plan.to, objects: refs, settings }), true);
  const [definitions, namespaces, rest] = [
    plan.applied.filter(({ kind }) => kind === 'CustomResourceDefinition'),
    plan.applied.filter(({ kind }) => kind === 'Namespace'),
    plan.applied.filter(({ kind }) => kind !== 'CustomResourceDefinition' && kind !== 'Namespace'),
  ];
  for (const manifest of definitions) await apply(server, manifest, force);
  for (const manifest of definitions) await established(options, refOf(manifest));
  for (const manifest of namespaces) await apply(server, manifest, force);
  // Before anything of it is there, so that nothing is ever forgotten.
  await note(together(objects, plan.before?.objects ?? []));
  for (const manifest of rest) await apply(server, manifest, force);
  for (const ref of plan.removed) await server.delete(ref, { dryRun: false });
  await note(objects);
}

async function apply(server: InstallServer, manifest: Parameters<InstallServer['apply']>[0], force: boolean) {
  const answer = await server.apply(manifest, { dryRun: false, force });
  if (answer.kind !== 'conflict') return;
  const { manager, field } = answer.conflicts[0] ?? { manager: 'another manager', field: 'fields' };
  throw new InstallRefusal(
    'owner',
    `${refText(refOf(manifest))}: ${manager} has taken ${field} since the dry run; what came before it was applied`,
    ['run it again to see what is left'],
  );
}

async function established({ server, waiting }: ExecuteOptions, ref: ReturnType<typeof refOf>): Promise<void> {
  const untilMs = waiting.nowMs() + establishedWithinMs;
  for (;;) {
    const body = await server.get(ref);
    if (conditionOf(body, 'Established')?.status === 'True') return;
    if (waiting.nowMs() >= untilMs) {
      const why = textAt(conditionOf(body, 'NamesAccepted'), 'message') ?? '';
      throw new InstallRefusal('timeout', `${refText(ref)} is not served after ${establishedWithinMs / 1000} s`, [why]);
    }
    await waiting.pause(lookEveryMs);
  }
}
