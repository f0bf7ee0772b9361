import type { GpuVendor } from '@ebb/core';

export const gpuVendors: readonly GpuVendor[] = ['nvidia', 'amd', 'intel', 'google', 'aws'];

/** Models by vendor, as the catalogue writes them. A model that comes in several memory sizes has the size in its name. */
const models: Record<GpuVendor, readonly string[]> = {
  nvidia: [
    'A10',
    'A10G',
    'A30-24GB',
    'A100-40GB',
    'A100-80GB',
    'B200',
    'B300',
    'GB200',
    'GH200',
    'H100-80GB',
    'H100-94GB',
    'H200',
    'L4',
    'L40S',
    'M60',
    'P100',
    'RTX-PRO-6000',
    'T4',
    'T4G',
    'V100-16GB',
    'V100-32GB',
  ],
  amd: ['MI300X', 'MI325X', 'MI355X', 'Radeon-Pro-V520', 'Radeon-Pro-V710'],
  intel: ['Gaudi', 'Gaudi2', 'Gaudi3'],
  google: ['TPU-v4', 'TPU-v5e', 'TPU-v5p', 'TPU-v6e'],
  aws: ['Inferentia', 'Inferentia2', 'Trainium', 'Trainium2'],
};

/** The same model whatever its separators and case: `rtxpro6000` is `RTX-PRO-6000`. */
export function foldModel(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

const byFolded = new Map(
  gpuVendors.flatMap((vendor) => models[vendor].map((model) => [foldModel(model), { vendor, model }] as const)),
);

/** Vendor and the catalogue's spelling of a model; null for one that it does not know. */
export function knownGpu(name: string): { vendor: GpuVendor; model: string } | null {
  const folded = foldModel(name);
  return byFolded.get(folded) ?? byFolded.get(folded.replace(/^(nvidia|amd|intel|google|aws|tesla)/, '')) ?? null;
}
