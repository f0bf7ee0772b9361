import { findScaler, findUnavailable, knownTypes, scalers as all, unavailableTypes } from '@ebb/scalers';
import type { ScalersFlags } from '../commands/scalers.ts';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { scalerJson } from '../scalers/json.ts';
import { scalerLines, scalerList } from '../scalers/render.ts';
import { didYouMean } from '../suggest.ts';

export async function scalers(context: EbbContext, flags: ScalersFlags, type?: string): Promise<undefined> {
  if (type === undefined) {
    if (flags.json) context.json({ scalers: all.map(scalerJson), notAvailable: unavailableTypes });
    else context.out(...scalerList(all, unavailableTypes, context.colors));
    return;
  }
  const found = findScaler(type);
  if (!found) throw unknownType(type);
  if (flags.json) context.json(scalerJson(found));
  else context.out(...scalerLines(found, context.colors));
}

function unknownType(type: string): Failure {
  const unavailable = findUnavailable(type);
  if (!unavailable) {
    return new Failure('usage', `there is no trigger type "${type}".${didYouMean(type, knownTypes)}`, [
      'ebb scalers lists those that work here',
    ]);
  }
  return new Failure('usage', `the trigger type ${type} (${unavailable.looksAt}) is not available here.`, [
    'a trigger of it is shown as Unsupported, holds the last capacity and never counts as 0',
    'an external scaler can count it: ebb scalers external',
  ]);
}
