import { type ObjectAction, refText } from '@ebb/kubernetes';
import type { EbbContext } from '../context.ts';
import { padEnd } from '../text/width.ts';

const done: Readonly<Record<ObjectAction['action'], string>> = {
  create: 'created',
  change: 'changed',
  unchanged: 'unchanged',
  remove: 'removed',
  keep: 'kept',
};
const mostNotes = 3;

/** A line for each object: what became of it, or what would. */
export function actionLines({ colors }: EbbContext, actions: readonly ObjectAction[], dryRun: boolean): string[] {
  const words = actions.map(({ action }) => (dryRun ? action : done[action]));
  const width = Math.max(...words.map((word) => word.length));
  return actions.map(({ action, ref, notes }, index) => {
    const word = padEnd(words[index] ?? '', width);
    const paint = action === 'remove' ? colors.red : action === 'change' ? colors.yellow : colors.green;
    const told =
      notes.slice(0, mostNotes).join(', ') + (notes.length > mostNotes ? ` and ${notes.length - mostNotes} more` : '');
    const isQuiet = action === 'unchanged' || action === 'keep';
    return `${isQuiet ? colors.dim(word) : paint(word)}  ${refText(ref)}${told === '' ? '' : colors.dim(`  ${told}`)}`;
  });
}

/** The same for a machine. */
export function actionsJson(actions: readonly ObjectAction[]): object[] {
  return actions.map(({ action, ref, notes }) => ({
    action,
    ...ref,
    ...(action === 'change' ? { fields: notes } : action === 'keep' ? { because: notes[0] } : {}),
  }));
}
