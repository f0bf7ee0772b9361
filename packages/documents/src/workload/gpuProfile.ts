import { z } from 'zod';
import type { Resources } from './resolved.ts';

const form = /^([1-7])g\.\d{1,3}gb(\+me)?$/;

/** The name of a MIG profile as nvidia-smi writes it: `1g.10gb`, `1g.10gb+me`. Which there are depends on the card. */
export function gpuProfileField() {
  return z.string().regex(form, {
    error: 'is not the name of a MIG profile; write compute slices and memory, such as 1g.10gb, 3g.40gb or 1g.10gb+me',
  });
}

/** What instances of a MIG profile count for: their part of the seven compute slices, rounded down, and the profile itself. */
export function migAmounts(profile: string, count: number): Pick<Resources, 'gpuMilli' | 'gpuMig'> {
  // Also of a compute instance within one (`1c.3g.20gb`), which a document does not ask for.
  const slices = Number(/(?:^|\.)([1-7])g\./.exec(profile)?.[1] ?? 7);
  return { gpuMilli: count * Math.floor((slices * 1000) / 7), gpuMig: { profile, count } };
}

/** The profile of a Kubernetes resource such as `nvidia.com/mig-1g.10gb` (`.me` where MIG says `+me`), or null. */
export function migProfileOfResource(resource: string): string | null {
  const name = /^nvidia\.com\/mig-(.+)$/.exec(resource)?.[1]?.replace(/\.me$/, '+me') ?? '';
  return form.test(name) ? name : null;
}
