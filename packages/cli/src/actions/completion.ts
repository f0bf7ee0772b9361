import type { CompletionFlags } from '../commands/completion.ts';
import { completionScripts, type Shell } from '../completion/shells.ts';
import type { EbbContext } from '../context.ts';

export async function completion(context: EbbContext, flags: CompletionFlags, shell: Shell): Promise<undefined> {
  if (flags.json) context.json({ shell, script: completionScripts[shell] });
  else context.stdout.write(completionScripts[shell]);
}
