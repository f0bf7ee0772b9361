import type { GpuHolding } from '@ebb/core';
import type { Fields } from './replicaStart.ts';

/** The devices that a record names under `gpus`; null where it names none, as those of earlier versions. */
export function readHolding(record: Fields): GpuHolding | null {
  const value = record.value('gpus');
  if (value === undefined || value === null) return null;
  const holding = record.object('gpus');
  return { devices: holding.texts('devices', 0), taken: takenOf(holding.object('taken')), env: holding.textMap('env') };
}

function takenOf(taken: Fields): GpuHolding['taken'] {
  const kind = taken.text('kind');
  if (kind === 'whole' || kind === 'mig') return { kind };
  if (kind !== 'share') throw new Error(`${taken.path}.kind: "${kind}" is not whole, share or mig`);
  return { kind, gpuMilli: taken.number('gpuMilli', 0), memoryBytes: taken.number('memoryBytes', 0) };
}
