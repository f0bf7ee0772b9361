import type { MachineGpus } from '@ebb/core';
import { migCardOf, migProfile } from '@ebb/core/gpu';

const mebibyte = 1024 * 1024;

/**
 * The labels of a node with these GPUs under the names of NVIDIA's GPU feature discovery
 * (github.com/NVIDIA/k8s-device-plugin), MIG strategy `mixed`: whole GPUs as `nvidia.com/gpu.*`, instances as
 * `nvidia.com/mig-PROFILE.*`. Those that need more than the driver's list (compute capability, family) are left out.
 */
export function gpuLabels({
  gpus,
  driverVersion,
  sharing,
  mps,
}: Omit<MachineGpus, 'labels' | 'message'>): Record<string, string> {
  const nvidia = gpus.filter((gpu) => gpu.vendor === 'nvidia');
  const [first] = nvidia;
  if (!first) return {};
  const isCut = nvidia.some((gpu) => gpu.mig !== null);
  const whole = nvidia.filter((gpu) => gpu.mig === null);
  const shown = whole[0] ?? first;
  const labels: Record<string, string> = { 'nvidia.com/gpu.present': 'true' };
  const [major, minor, revision] = driverVersion?.split('.') ?? [];
  if (driverVersion && major) {
    labels['nvidia.com/cuda.driver-version.full'] = driverVersion;
    labels['nvidia.com/cuda.driver-version.major'] = major;
    if (minor) labels['nvidia.com/cuda.driver-version.minor'] = minor;
    if (revision) labels['nvidia.com/cuda.driver-version.revision'] = revision;
  }
  const isReplicated = 'replicas' in sharing;
  const strategy = sharing.kind === 'time-slicing' || sharing.kind === 'mps' ? sharing.kind : 'none';
  labels['nvidia.com/gpu.product'] = productName(shown.model) + (isReplicated ? '-SHARED' : '');
  labels['nvidia.com/gpu.memory'] = String(Math.round(shown.memoryBytes / mebibyte));
  labels['nvidia.com/gpu.count'] = String(whole.length);
  labels['nvidia.com/gpu.replicas'] = isReplicated ? String(sharing.replicas) : whole.length > 0 ? '1' : '0';
  labels['nvidia.com/gpu.sharing-strategy'] = strategy;
  labels['nvidia.com/mig.capable'] = String(nvidia.some((gpu) => migCardOf(gpu) !== null));
  if (isCut) labels['nvidia.com/mig.strategy'] = 'mixed';
  labels['nvidia.com/mps.capable'] = String(sharing.kind === 'mps' && mps && !isCut);
  for (const gpu of nvidia) {
    const card = migCardOf(gpu);
    for (const { profile } of gpu.mig ?? []) {
      const name = `nvidia.com/mig-${profile.replaceAll('+', '.')}`;
      const known = card && migProfile(card, profile);
      labels[`${name}.count`] = String(Number(labels[`${name}.count`] ?? 0) + 1);
      labels[`${name}.product`] = `${productName(gpu.model)}-MIG-${profile.replaceAll('+', '.')}`;
      labels[`${name}.replicas`] = '1';
      labels[`${name}.sharing-strategy`] = 'none';
      if (known) {
        labels[`${name}.memory`] = String(known.memoryBytes / mebibyte);
        labels[`${name}.slices.gi`] = String(known.computeSlices);
      }
    }
  }
  return Object.fromEntries(Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** `NVIDIA A100-SXM4-40GB` → `NVIDIA-A100-SXM4-40GB`. */
function productName(model: string): string {
  return model.replaceAll(/\s+/g, '-');
}
