import { resolveNodePool, yamlValues } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import { objectAt } from '../client/values.ts';
import { devicePluginConfig } from './devicePlugin.ts';
import { withNodeLabels } from './gpuLabels.ts';
import { nodeDocument } from './nodeDocuments.ts';
import { fleetNode } from './fleetNode.fixture.ts';
import { objectOf } from './seenNodes.fixture.ts';

const poolOf = (name: string, spec: Record<string, unknown>) =>
  resolveNodePool({
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'NodePool',
    metadata: { name },
    spec: { cluster: 'prod', ...spec },
  });

describe("the device plugin's configuration", () => {
  it('has an entry for each way to share, in the shape that the plugin reads', () => {
    const pools = [
      poolOf('whole', {}),
      poolOf('sliced', { gpuSharing: { type: 'timeSlicing', replicas: 4 } }),
      poolOf('served', { gpuSharing: { type: 'mps', replicas: 8 } }),
      poolOf('cut', { gpuSharing: 'mig', labels: { 'nvidia.com/mig.config': 'all-1g.10gb' } }),
    ];
    const { configMap, problems } = devicePluginConfig(pools, 'gpu-operator');
    expect(problems).toEqual([]);
    const entries = Object.entries(configMap.data).map(([name, text]) => [name, yamlValues(text)[0]]);
    const resources = (replicas: number) => [{ name: 'nvidia.com/gpu', replicas }];
    expect(Object.fromEntries(entries)).toEqual({
      default: { version: 'v1', flags: { migStrategy: 'none' } },
      'time-slicing-4': {
        version: 'v1',
        sharing: { timeSlicing: { renameByDefault: true, failRequestsGreaterThanOne: true, resources: resources(4) } },
      },
      'mps-8': { version: 'v1', sharing: { mps: { renameByDefault: true, resources: resources(8) } } },
      mig: { version: 'v1', flags: { migStrategy: 'mixed' } },
    });
  });

  it('says what cannot be served so', () => {
    const pools = [
      poolOf('parts', { gpuSharing: 'fraction' }),
      poolOf('cut', { gpuSharing: 'mig' }),
      poolOf('mixed', { gpuSharing: 'mig', labels: { 'nvidia.com/mig.config': 'all-balanced' } }),
    ];
    expect(devicePluginConfig(pools, 'x').problems).toEqual([
      expect.stringContaining('HAMi'),
      expect.stringContaining('there is none'),
      expect.stringContaining('found all-balanced'),
    ]);
  });
});

describe('labels of nodes', () => {
  it.each([
    [
      { type: 'timeSlicing', replicas: 4 },
      { 'nvidia.com/device-plugin.config': 'time-slicing-4', 'nvidia.com/gpu.sharing-strategy': 'time-slicing' },
    ],
    ['mig', { 'nvidia.com/device-plugin.config': 'mig' }],
    ['none', {}],
  ])('choose the entry of a pool with %o', (gpuSharing, labels) => {
    const object = objectOf('NodePool', {
      apiVersion: 'ebb.dev/v1alpha1',
      metadata: { name: 'gpu', namespace: 'ops' },
      spec: { cluster: 'prod', gpuSharing, labels: { tier: 'gpu' } },
    });
    const { key, document } = nodeDocument(object);
    expect(key).toEqual({ cluster: 'prod', namespace: 'ops', name: 'gpu' });
    expect(objectAt(document, 'spec', 'labels')).toEqual({ ...labels, tier: 'gpu' });
  });

  it("are those of discovery, which pods select before there is a node, and Karpenter's", () => {
    expect(withNodeLabels(fleetNode('a').offering).instanceType.labels).toEqual({
      'kubernetes.io/arch': 'amd64',
      'karpenter.sh/capacity-type': 'on-demand',
      'nvidia.com/gpu.present': 'true',
      'nvidia.com/gpu.count': '1',
      'nvidia.com/gpu.memory': '24576',
      'nvidia.com/gpu.product': 'NVIDIA-A10G',
    });
  });
});
