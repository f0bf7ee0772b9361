import { resolveWorkload } from '@ebb/documents';
import { type AdvisedClass, classModel, type PolicyBase, type WorldModel } from '@ebb/simulator';

/** Each class of the Workload as if there were no other: its own slots, lengths of service and start, and price. */
export function classesToAdviseOn({ workload, settings }: PolicyBase, model: WorldModel): AdvisedClass[] {
  const { classes } = resolveWorkload(workload, { baseDirectory: '/' });
  return classes.map(({ name, concurrency, pricePerHourMicro }) => {
    const own = classModel(model, name);
    // A class without a limit has the slots of the model.
    if (concurrency > 0) own.concurrency = Math.min(concurrency, model.concurrency);
    const only = workload.spec.classes.filter((one) => (one.name ?? 'default') === name);
    return {
      name,
      base: {
        workload: { ...workload, spec: { ...workload.spec, classes: only } },
        settings: { ...settings, model: own },
      },
      model: own,
      pricePerHourMicro,
      hasOwnService: model.classes?.[name]?.service !== undefined,
    };
  });
}
