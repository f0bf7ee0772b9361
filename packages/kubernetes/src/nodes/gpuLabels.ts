import type { InstanceType, Offering } from '@ebb/core';

/** What NVIDIA's discovery calls a card, by the model of the list of prices; only those that come under one name. */
const products: Readonly<Record<string, string>> = {
  A10: 'NVIDIA-A10',
  A10G: 'NVIDIA-A10G',
  'A30-24GB': 'NVIDIA-A30',
  'A100-40GB': 'NVIDIA-A100-SXM4-40GB',
  'A100-80GB': 'NVIDIA-A100-SXM4-80GB',
  B200: 'NVIDIA-B200',
  'H100-80GB': 'NVIDIA-H100-80GB-HBM3',
  H200: 'NVIDIA-H200',
  L4: 'NVIDIA-L4',
  L40S: 'NVIDIA-L40S',
  T4: 'Tesla-T4',
  T4G: 'NVIDIA-T4G',
  'V100-16GB': 'Tesla-V100-SXM2-16GB',
  'V100-32GB': 'Tesla-V100-SXM2-32GB',
};

const mib = 1024 * 1024;

/**
 * Labels that a node of the type has once GPU feature discovery has seen it, so that pods which select by them find a pool at zero.
 * The memory is what the card is sold with; discovery reports a few hundred MiB less.
 */
export function gpuLabels({ gpu }: Pick<InstanceType, 'gpu'>): Record<string, string> {
  if (gpu?.vendor !== 'nvidia') return {};
  const product = products[gpu.model];
  return {
    'nvidia.com/gpu.present': 'true',
    'nvidia.com/gpu.count': String(gpu.count),
    'nvidia.com/gpu.memory': String(Math.floor(gpu.memoryBytes / mib)),
    ...(product === undefined ? {} : { 'nvidia.com/gpu.product': product }),
  };
}

/** What is for sale with the labels that its nodes have in a cluster: Karpenter's, and discovery's of GPUs. */
export function withNodeLabels(offering: Offering): Offering {
  const { instanceType, capacityType } = offering;
  const labels = {
    'karpenter.sh/capacity-type': capacityType,
    ...gpuLabels(instanceType),
    ...instanceType.labels,
  };
  return { ...offering, instanceType: { ...instanceType, labels } };
}
