import type { NodePoolSpec } from '@ebb/documents';
import { migConfigLabel, pluginConfigLabel, sharingLabel } from './labels.ts';

type Pool = Pick<NodePoolSpec, 'gpuSharing' | 'nodeLabels' | 'key'>;

/** The entry that a pool's nodes choose in the device plugin's ConfigMap; null: the default one. */
function configName({ gpuSharing }: Pick<NodePoolSpec, 'gpuSharing'>): string | null {
  if (gpuSharing.kind === 'mig') return 'mig';
  const isShown = gpuSharing.kind === 'time-slicing' || gpuSharing.kind === 'mps';
  return isShown ? `${gpuSharing.kind}-${gpuSharing.replicas}` : null;
}

/** Labels that nodes of the pool get so that NVIDIA's components share their GPUs as the pool says. */
export function sharingLabels(pool: Pick<NodePoolSpec, 'gpuSharing'>): Record<string, string> {
  const name = configName(pool);
  if (name === null) return {};
  const { kind } = pool.gpuSharing;
  return { [pluginConfigLabel]: name, ...(kind === 'mig' ? {} : { [sharingLabel]: kind }) };
}

export interface DevicePluginConfig {
  /** What the device plugin's chart takes as `config.name`. */
  configMap: {
    apiVersion: 'v1';
    kind: 'ConfigMap';
    metadata: { name: string; namespace: string; labels: Record<string, string> };
    data: Record<string, string>;
  };
  /** Pools that cannot be served so, each with what would help. */
  problems: readonly string[];
}

/**
 * What NVIDIA's device plugin reads, of all pools together: an entry for each way to share, which a node chooses by its label.
 * GPUs that are shown several times have a name of their own (`nvidia.com/gpu.shared`), so that whoever asks for a whole one
 * gets no share. Shape: version v1 of the plugin's configuration file.
 */
export function devicePluginConfig(pools: readonly Pool[], namespace: string): DevicePluginConfig {
  const data: Record<string, string> = { default: text(['version: v1', 'flags:', '  migStrategy: none']) };
  const problems: string[] = [];
  for (const pool of pools) {
    const { gpuSharing, key, nodeLabels } = pool;
    const name = configName(pool);
    if (name !== null) data[name] = entryOf(gpuSharing);
    if (gpuSharing.kind === 'fraction') {
      problems.push(`pool ${key.name}: the device plugin gives no parts by what is asked for; HAMi's does`);
    }
    const layout = nodeLabels[migConfigLabel];
    if (gpuSharing.kind === 'mig' && !/^all-\d+g\.\d+gb(\+me)?$/.test(layout ?? '')) {
      const found = layout === undefined ? 'there is none' : `found ${layout}`;
      problems.push(`pool ${key.name}: its labels need ${migConfigLabel} with a layout such as all-1g.10gb; ${found}`);
    }
  }
  const metadata = { name: 'ebb-device-plugin', namespace, labels: { 'app.kubernetes.io/part-of': 'ebb' } };
  return { configMap: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }, problems };
}

function entryOf(sharing: NodePoolSpec['gpuSharing']): string {
  if (!('replicas' in sharing)) return text(['version: v1', 'flags:', '  migStrategy: mixed']);
  const isSliced = sharing.kind === 'time-slicing';
  return text([
    'version: v1',
    'sharing:',
    `  ${isSliced ? 'timeSlicing' : 'mps'}:`,
    '    renameByDefault: true',
    // With MPS the plugin refuses more than one by itself.
    ...(isSliced ? ['    failRequestsGreaterThanOne: true'] : []),
    '    resources:',
    '      - name: nvidia.com/gpu',
    `        replicas: ${sharing.replicas}`,
  ]);
}

const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;
