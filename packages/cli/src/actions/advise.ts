import { adviceSentences, advise as ask } from '@ebb/simulator';
import { stringify } from 'yaml';
import type { AdviseFlags } from '../commands/advise.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { loadOf } from '../advise/load.ts';
import { adviceLines } from '../advise/render.ts';
import { Failure } from '../failure.ts';
import { classesToAdviseOn } from '../advise/classes.ts';
import { basesOf, documentsOf } from '../rehearse/documents.ts';
import { modelOf } from '../rehearse/model.ts';
import { moneyOf, watched, worldModule } from '../tune/rehearsing.ts';
import { cliVersion } from '../version.ts';

export async function advise(context: EbbContext, flags: AdviseFlags): Promise<ExitName> {
  const documents = await documentsOf(context, flags.file ?? [], flags.json ?? false);
  if (documents.workloads.length > 1) {
    throw new Failure('usage', `one Workload can be advised on at a time; there are ${documents.workloads.length}.`);
  }
  const { advice, basis } = await watched(context, async (watch) => {
    const { trace, coldStart, basis } = await loadOf(context, flags, documents.rename, watch.signal);
    const { coldStart: _, ...others } = flags;
    const model = await modelOf(context, coldStart === null ? others : { ...others, coldStart }, documents);
    const { own, bases } = basesOf(documents, model);
    const [base] = bases;
    if (!base) throw new Failure('usage', 'there is no Workload among the documents.');
    const classes = classesToAdviseOn(base, model);
    const [only] = classes;
    // The one class there is may be named in the model.
    const world =
      only && classes.length === 1 && model.classes ? { base: only.base, model: only.model } : { base, model };
    const advice = await ask({
      ...world,
      trace,
      present: documents.workloads.length > 0 ? own : null,
      classes,
      seed: flags.seed ?? 1,
      price: flags.price === undefined ? null : moneyOf(flags.price, '--price'),
      startReplicas: 'first-minute-mean',
      worldModule,
      ...(flags.threads === undefined ? {} : { threads: flags.threads }),
      ...watch,
    });
    return { advice, basis };
  });
  if (flags.json) context.json({ ebb: cliVersion, basis, words: adviceSentences(advice), ...advice });
  else {
    const scaling = advice.scaling === null ? null : stringify({ spec: { scaling: advice.scaling } });
    context.out(...adviceLines(context, advice, basis, scaling));
  }
  return 'ok';
}
