import { formatMilli, formatBytes, parseBytes, parseMilli } from '../../units/quantity.ts';
import { countOf, isRecord, parsed, plainText, textOf } from '../values.ts';
import { type FieldRules, ignored, type Outcome } from '../walk.ts';

/** What pools and their cluster take from an EC2NodeClass. */
export interface ClassDraft {
  name: string;
  clusterName: string | null;
  maxPods: number | null;
  reserved: { cpuMilli: number; memoryBytes: number };
}

const discoveryTag = 'karpenter.sh/discovery';
const network = ignored('networks of machines are not described here');
const image = ignored(
  'which image machines boot from is not described here; startStages.baked says what it has within',
);
const rights = ignored('rights of machines in the cloud are not described here');
const disks = ignored('disks of machines are not described here');
const settings = ignored('settings of the kubelet are not described here');

/** What becomes of each field of a `karpenter.k8s.aws/v1` EC2NodeClass. */
export const nodeClassRules: FieldRules<ClassDraft> = {
  'metadata.name': (value, draft) => {
    draft.name = textOf(value);
    return { becomes: 'cluster' };
  },
  'metadata.labels': ignored('the labels of a NodePool are those of its nodes'),
  'metadata.annotations': ignored('a node class has no document of its own here'),
  'spec.subnetSelectorTerms': readDiscovery,
  'spec.securityGroupSelectorTerms': readDiscovery,
  'spec.capacityReservationSelectorTerms': ignored('capacityTypes has `reserved`; which reservation is not described'),
  'spec.associatePublicIPAddress': network,
  'spec.ipPrefixCount': network,
  'spec.networkInterfaces': network,
  'spec.placementGroup': network,
  'spec.placementGroupSelector': network,
  'spec.amiFamily': image,
  'spec.amiSelectorTerms': image,
  'spec.userData': image,
  'spec.role': rights,
  'spec.instanceProfile': rights,
  'spec.tags': ignored('tags of machines are not described here'),
  'spec.blockDeviceMappings': disks,
  'spec.instanceStorePolicy': disks,
  'spec.detailedMonitoring': ignored('monitoring by the cloud is not described here'),
  'spec.metadataOptions': ignored("the cloud's metadata service is not described here"),
  'spec.enclaveOptions': ignored('enclaves are not described here'),
  'spec.cpuOptions': ignored('machines are taken as their type has them'),
  'spec.context': ignored('it is reserved by the cloud'),
  'spec.kubelet.maxPods': (value, draft) => {
    draft.maxPods = countOf(value, 1000);
    return { becomes: 'maxPods' };
  },
  'spec.kubelet.systemReserved.*': (value, draft, path) => reserve(String(path.at(-1)), value, draft),
  'spec.kubelet.kubeReserved.*': (value, draft, path) => reserve(String(path.at(-1)), value, draft),
  'spec.kubelet.evictionHard.*': (value, draft, path) => {
    if (path.at(-1) !== 'memory.available') return { ignored: 'of what is kept free only memory counts' };
    if (plainText(value).endsWith('%')) return { ignored: 'reserved memory is an amount here, not a share' };
    return reserve('memory', value, draft);
  },
  'spec.kubelet.evictionSoft': settings,
  'spec.kubelet.evictionSoftGracePeriod': settings,
  'spec.kubelet.evictionMaxPodGracePeriod': settings,
  'spec.kubelet.podsPerCore': settings,
  'spec.kubelet.clusterDNS': settings,
  'spec.kubelet.cpuCFSQuota': settings,
  'spec.kubelet.imageGCHighThresholdPercent': settings,
  'spec.kubelet.imageGCLowThresholdPercent': settings,
};

/** The cluster's name is the value of the tag by which Karpenter finds its networks. */
function readDiscovery(value: unknown, draft: ClassDraft): Outcome {
  const tags = Array.isArray(value) ? value.map((term: unknown) => (isRecord(term) ? term.tags : undefined)) : [];
  const names = tags.flatMap((one) =>
    isRecord(one) && typeof one[discoveryTag] === 'string' ? [one[discoveryTag]] : [],
  );
  const [name] = names;
  if (name === undefined || name === '*' || name === '') return network();
  draft.clusterName ??= name;
  return { becomes: 'cluster', note: `only the tag ${discoveryTag} is read; networks are not described here` };
}

function reserve(resource: string, value: unknown, { reserved }: ClassDraft): Outcome {
  const text = plainText(value);
  if (resource === 'cpu') reserved.cpuMilli += parsed(parseMilli(text));
  else if (resource === 'memory') reserved.memoryBytes += parsed(parseBytes(text));
  else return { ignored: 'of what is reserved only cpu and memory count' };
  return { becomes: `reserved.${resource}` };
}

/** What a pool of the class has in its document. */
export function classFields({ maxPods, reserved }: ClassDraft): Record<string, unknown> {
  const amounts = {
    ...(reserved.cpuMilli > 0 ? { cpu: formatMilli(reserved.cpuMilli) } : {}),
    ...(reserved.memoryBytes > 0 ? { memory: formatBytes(reserved.memoryBytes) } : {}),
  };
  return {
    ...(maxPods === null ? {} : { maxPods }),
    ...(Object.keys(amounts).length > 0 ? { reserved: amounts } : {}),
  };
}
