import { proposeCompletions } from '@stricli/core';
import { application } from '../application.ts';
import type { EbbContext } from '../context.ts';

/**
 * What the completion scripts ask: candidates for the last of the words (which may be empty), one a line as
 * `candidate<TAB>what it is`.
 */
export async function complete(context: EbbContext, words: readonly string[]): Promise<void> {
  const proposals = await proposeCompletions(application, words, context);
  // `--` is a mark for the parser and nothing to choose.
  const choices = proposals.filter(({ completion }) => completion !== '--');
  context.out(...choices.map(({ completion, brief }) => `${completion}\t${brief}`));
}
