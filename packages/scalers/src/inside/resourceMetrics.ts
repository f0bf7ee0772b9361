import { type Parsed, parseBytes, parseMilli } from '@ebb/documents';
import { type AnyScaler, defineScaler, type SettingProblem } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { text } from '../contract/parameter.ts';

/**
 * KEDA makes a resource metric of the HPA out of these two, and Ebb's engine does the same with what it measures of each
 * replica: they are declared so that they are checked and documented, and never opened.
 */
function resourceMetric(
  type: 'cpu' | 'memory',
  unit: string,
  parse: (value: string) => Parsed<number>,
  scale: number,
): AnyScaler {
  const amount = (value: string): number => {
    const parsed = parse(value);
    return 'value' in parsed ? parsed.value / scale : Number.NaN;
  };
  return defineScaler({
    type,
    summary: `${type === 'cpu' ? 'CPU' : 'Memory'} that the replicas use.`,
    parameters: {
      value: text({
        required: true,
        description: `Percent of what is requested (Utilization), or ${unit} (AverageValue).`,
      }),
      containerName: text({ description: 'Container that counts. Left out: all of the pod.' }),
    },
    check({ value }, { metadata }): SettingProblem[] {
      const problems: SettingProblem[] = [];
      if (!(amount(value) > 0)) {
        const message = `value must be a number of percent or an amount such as ${type === 'cpu' ? '500m' : '512Mi'}, more than 0, found "${value}"`;
        problems.push({ parameter: 'value', message });
      }
      if (metadata.type !== undefined) {
        problems.push({
          parameter: 'type',
          message: `type in metadata is no more: write metricType: ${metadata.type} beside it`,
        });
      }
      return problems;
    },
    target: ({ value }) => ({ target: amount(value), activationTarget: 0 }),
    metricName: () => type,
    open() {
      const message = `a ${type} trigger has no source to read: its metric comes from what is measured of each replica`;
      throw new SourceError('unsupported', message);
    },
    example: `type: ${type}
metricType: Utilization
metadata:
  value: "70"`,
    documentation: {
      reaction: 'Measured on each replica; no source is asked.',
      rights: 'None.',
      notes: [
        'metricType must be Utilization or AverageValue, as in KEDA.',
        'It cannot wake from zero: with nothing running there is nothing to measure. Give it a second trigger.',
        'Utilization needs a request in the resources of the workload.',
      ],
    },
  });
}

export const cpu = resourceMetric('cpu', 'CPUs for each replica, such as `500m`', parseMilli, 1000);
export const memory = resourceMetric('memory', 'memory for each replica, such as `512Mi`', parseBytes, 1);
