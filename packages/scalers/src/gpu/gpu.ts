import { defineScaler, type Settings } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { choice, list, number, text } from '../contract/parameter.ts';
import type { ScalerContext, TriggerSource } from '../contract/source.ts';
import { openDcgm } from './dcgm.ts';
import type { GpuSample, GpuSource } from './gpuSample.ts';
import { openNvidiaSmi } from './nvidiaSmi.ts';

const metrics = ['utilization', 'memoryUtilization', 'memoryUsedMiB'] as const;
type Metric = (typeof metrics)[number];

const parameters = {
  metric: choice(metrics, {
    default: 'utilization',
    description:
      '`utilization`: percent of the time in which the GPU computed; `memoryUtilization`: percent of its memory in use; `memoryUsedMiB`: MiB in use.',
  }),
  value: number({ required: true, moreThan: 0, description: 'What it aims at, in the unit of the metric.' }),
  activationValue: number({ default: 0, min: 0, description: 'It is active above this.' }),
  aggregation: choice(['sum', 'mean', 'max'], {
    default: 'sum',
    description: 'How several GPUs become one value. `sum` fits metricType AverageValue, `mean` and `max` fit Value.',
  }),
  gpus: list({ description: 'Indexes or UUIDs of the GPUs that count. Left out: all.' }),
  source: choice(['nvidia-smi', 'dcgm'], {
    default: 'nvidia-smi',
    description: 'Who is asked: the program on this machine, or a DCGM exporter.',
  }),
  url: text({ from: ['metadata', 'env', 'auth'], description: 'Metrics page of the DCGM exporter, for source dcgm.' }),
  labels: list({ description: 'Labels that a series of the exporter must have: `namespace=ml,Hostname=node-1`.' }),
};
type GpuSettings = Settings<typeof parameters>;

/** How busy GPUs are: Ebb's own trigger, which KEDA has not. */
export const gpu = defineScaler({
  type: 'gpu',
  summary: 'How busy the GPUs of this machine are, or those that a DCGM exporter tells about.',
  parameters,
  check(settings, { metadata }) {
    const { source, url, labels = [] } = settings;
    if (source === 'nvidia-smi') {
      return (['url', 'labels'] as const)
        .filter((parameter) => settings[parameter] !== undefined)
        .map((parameter) => ({ parameter, message: `${parameter} is for source dcgm only` }));
    }
    const isElsewhere = metadata.urlFromEnv !== undefined;
    const problems = labels
      .filter((label) => !/^[a-zA-Z_]\w*=/.test(label))
      .map((label) => ({ parameter: 'labels', message: `labels must be written name=value, found "${label}"` }));
    if (url === undefined && !isElsewhere) {
      return [...problems, { parameter: 'url', message: 'url is missing: source dcgm needs the page of the exporter' }];
    }
    if (url === undefined || (/^https?:\/\//.test(url) && URL.canParse(url))) return problems;
    return [...problems, { parameter: 'url', message: 'url must be an http or https address' }];
  },
  target: ({ value, activationValue }) => ({ target: value, activationTarget: activationValue }),
  metricName: ({ metric }) => `gpu-${metric}`,
  open: openGpu,
  example: `type: gpu
metadata:
  metric: utilization
  value: "70"`,
  documentation: {
    reaction: 'Polled: one run of nvidia-smi, or one page of the exporter, for all triggers that ask at the same time.',
    rights: 'To run nvidia-smi, or to read the page of the exporter.',
    notes: [
      'With the metricType AverageValue, `sum` asks for as many replicas as there is work for whole GPUs at the target.',
      'A GPU that does not tell the metric is an error that names it, never 0: leave it out with `gpus`.',
      'Where nvidia-smi is not on the PATH, EBB_NVIDIA_SMI in the environment of Ebb names it; a document cannot, since the program runs as Ebb.',
      'nvidia-smi does not tell the utilization of a GPU that is divided by MIG; a DCGM exporter does, for each part.',
      'Memory is what is in use, not how busy its bus is. Servers that take all of the memory at start always show it full.',
    ],
  },
});

function openGpu(settings: GpuSettings, context: ScalerContext): TriggerSource {
  const source = sourceOf(settings, context);
  const { metric, aggregation, activationValue } = settings;
  return {
    async read(signal) {
      const samples = chosen(await source.read(signal), settings, source.place);
      const values = samples.map((sample) => valueOf(sample, metric, source.place));
      const sum = values.reduce((total, one) => total + one, 0);
      const value = { sum, mean: sum / values.length, max: Math.max(...values) }[aggregation];
      return { value, active: value > activationValue };
    },
    close: () => source.close(),
  };
}

function sourceOf({ source, url, labels = [] }: GpuSettings, context: ScalerContext): GpuSource {
  if (source === 'nvidia-smi') return openNvidiaSmi(context, process.env.EBB_NVIDIA_SMI || 'nvidia-smi');
  if (url === undefined)
    throw new SourceError('bad-setting', 'url is missing: the variable that it is named by is not set');
  const pairs = labels.map((label): [string, string] => {
    const at = label.indexOf('=');
    return [label.slice(0, at), label.slice(at + 1)];
  });
  return openDcgm(context, url, pairs);
}

function chosen(samples: readonly GpuSample[], { gpus }: GpuSettings, place: string): readonly GpuSample[] {
  if (samples.length === 0) throw new SourceError('not-found', `${place} tells of no GPU`);
  if (gpus === undefined || gpus.length === 0) return samples;
  const missing = gpus.filter((name) => !samples.some(({ names }) => names.includes(name)));
  if (missing.length > 0) {
    const found = samples.map(({ names }) => names[0]).join(', ');
    throw new SourceError('not-found', `${place} tells of no GPU ${missing.join(', ')}; there are ${found}`);
  }
  return samples.filter(({ names }) => names.some((name) => gpus.includes(name)));
}

function valueOf(
  { names, utilization, memoryUsedMiB, memoryTotalMiB }: GpuSample,
  metric: Metric,
  place: string,
): number {
  const share = memoryUsedMiB === null || !memoryTotalMiB ? null : (memoryUsedMiB / memoryTotalMiB) * 100;
  const value = { utilization, memoryUtilization: share, memoryUsedMiB }[metric];
  if (value !== null) return value;
  const hint = metric === 'utilization' ? '; it may be divided by MIG, of which a DCGM exporter tells more' : '';
  throw new SourceError(
    'unsupported',
    `${place} does not tell ${metric} of GPU ${names[0]}${hint}. Leave it out with gpus`,
  );
}
