import { SourceError } from '../contract/errors.ts';
import type { ScalerContext } from '../contract/source.ts';
import { checkStatus, openHttp, place } from '../runtime/http.ts';
import type { GpuSample, GpuSource } from './gpuSample.ts';

/** Fields of DCGM, memory in MiB. The engine's activity is a ratio, and all that is told of a part made by MIG. */
const names = {
  utilization: 'DCGM_FI_DEV_GPU_UTIL',
  engineActive: 'DCGM_FI_PROF_GR_ENGINE_ACTIVE',
  used: 'DCGM_FI_DEV_FB_USED',
  free: 'DCGM_FI_DEV_FB_FREE',
  reserved: 'DCGM_FI_DEV_FB_RESERVED',
} as const;
type Field = keyof typeof names;
const fieldOf = new Map(Object.entries(names).map(([field, name]) => [name as string, field as Field]));

type Labels = Readonly<Record<string, string>>;

/** GPUs of a DCGM exporter's page whose series have all the labels. */
export function openDcgm(
  context: Pick<ScalerContext, 'connections'>,
  url: string,
  labels: readonly (readonly [string, string])[],
): GpuSource {
  const http = openHttp(context);
  return {
    place: place(url),
    async read(signal) {
      const answer = await http.request({ url, headers: { accept: 'text/plain' }, signal });
      checkStatus(answer, url);
      return parseDcgm(answer.text, labels, place(url));
    },
    close: () => http.close(),
  };
}

interface Device {
  names: string[];
  values: Partial<Record<Field, number>>;
}

/** Reads the exporter's page in the Prometheus text format. A GPU that several pods share is listed for each, and counts once. */
export function parseDcgm(page: string, wanted: readonly (readonly [string, string])[], place: string): GpuSample[] {
  const devices = new Map<string, Device>();
  for (const line of page.split('\n')) {
    const [, name = '', labelText = '', valueText = ''] = /^(\w+)\{(.*)\}\s+(\S+)/.exec(line) ?? [];
    const field = fieldOf.get(name);
    if (field === undefined) continue;
    const labels = labelsOf(labelText);
    if (wanted.some(([label, value]) => labels[label] !== value)) continue;
    const value = Number(valueText);
    if (valueText === '' || !(value >= 0) || !Number.isFinite(value)) {
      // What the exporter cannot tell it leaves out; NaN comes from others of its kind.
      if (valueText === 'NaN') continue;
      throw new SourceError('bad-answer', `${place}: "${valueText}" is no value of ${name}`);
    }
    const { gpu = '', UUID: uuid = '', device = '', Hostname: host = '', GPU_I_ID: part = '' } = labels;
    const key = JSON.stringify([host, uuid || gpu, part]);
    const names = [gpu, uuid, device].filter((one) => one !== '').map((one) => (part === '' ? one : `${one}/${part}`));
    const known = devices.get(key) ?? { names: part === '' ? names : [...names, gpu, uuid, device], values: {} };
    known.values[field] = Math.max(known.values[field] ?? 0, value);
    devices.set(key, known);
  }
  if (devices.size === 0 && !page.includes('DCGM_FI_')) {
    throw new SourceError('bad-answer', `${place} is no page of a DCGM exporter: it has no DCGM_FI_… series`);
  }
  return [...devices.values()].map(sampleOf);
}

function sampleOf({ names, values }: Device): GpuSample {
  const { utilization, engineActive, used, free, reserved = 0 } = values;
  return {
    names,
    utilization: utilization ?? (engineActive === undefined ? null : engineActive * 100),
    memoryUsedMiB: used ?? null,
    memoryTotalMiB: used === undefined || free === undefined ? null : used + free + reserved,
  };
}

function labelsOf(text: string): Labels {
  const found = [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  const unescaped = (value: string) =>
    value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, unescaped(value)]));
}
