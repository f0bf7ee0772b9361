import { nearest, pricedTuningNames } from '@ebb/documents';
import { minimumOf, PolicyNameError, type RehearsalPolicy, withScaling } from './policy.ts';

type Name = (typeof pricedTuningNames)[number];

/** Ebb's own policy with its defaults, whatever the documents say; with other numbers for experiments. */
export const priced: RehearsalPolicy = {
  name: 'priced',
  summary: 'Ebb’s own policy; minN: minimum; NAME=NUMBER: another number than its own',
  example: 'priced:backlog=0',
  documents: (base, parameters, settings) => {
    const tuning: Partial<Record<Name, number>> = {};
    let minReplicas = 0;
    for (const parameter of parameters) {
      const min = minimumOf(parameter);
      if (min === null) Object.assign(tuning, numberOf(parameter));
      else minReplicas = min;
    }
    const policy = { type: 'priced' as const, onTime: `${settings.model.onTimeMs}ms`, tuning };
    return [withScaling(base, settings, { minReplicas, policy })];
  },
};

function numberOf(parameter: string): Partial<Record<Name, number>> {
  const [name = '', value = ''] = parameter.split('=');
  const known = pricedTuningNames.find((one) => one === name);
  const number = Number(value);
  if (known && value !== '' && number >= 0) return { [known]: number };
  const near = known ? undefined : nearest(name, pricedTuningNames);
  throw new PolicyNameError(
    `policy priced: "${parameter}" is not known; allowed are minN and NAME=NUMBER with ${pricedTuningNames.join(', ')}` +
      (near === undefined ? '' : `; did you mean ${near}?`),
  );
}
