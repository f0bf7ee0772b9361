import type { CapacityType, NodeLaunch, NodeObservation, NodePhase } from '@ebb/core';
import type { GcpPoolSpec } from '@ebb/documents';
import { type Json, lastPart, listAt, objectAt, textAt, timeAt } from '../cloud/json.ts';
import { machineName } from '../cloud/names.ts';
import { labelsOf, marksOfInstance, metadataOf } from './marks.ts';

const gib = 1024 ** 3;
/** A spot machine is told so long before its end. */
export const noticeMs = 30_000;

/** `europe-west4-a` is of `europe-west4`. */
export function regionOf(zone: string): string {
  return zone.replace(/-[a-z]$/, '');
}

/** As Kubernetes names machines of Google Cloud. */
export function providerIdOf(project: string, zone: string, name: string): string {
  return `gce://${project}/${zone}/${name}`;
}

export function partsOfProviderId(providerId: string): { project: string; zone: string; name: string } | null {
  const [, project = '', zone = '', name = ''] = /^gce:\/\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(providerId) ?? [];
  return name === '' ? null : { project, zone, name };
}

/**
 * The body of `instances.insert` for a machine in a zone. What it says of labels and metadata takes the place of all that `template`
 * (an instance template as the API has it; null: none) says of them, so both are put together here.
 */
export function instanceBody(launch: NodeLaunch, zone: string, settings: GcpPoolSpec, template: Json | null): Json {
  const { instanceType, capacityType } = launch.offering;
  const given = listAt(template, 'properties', 'metadata', 'items');
  const ofTemplate = Object.fromEntries(given.map((item) => [textAt(item, 'key') ?? '', textAt(item, 'value') ?? '']));
  const metadata = { ...ofTemplate, ...settings.metadata, ...metadataOf(launch) };
  const machine = {
    name: machineName(launch.id),
    machineType: `zones/${zone}/machineTypes/${instanceType}`,
    labels: { ...objectAt(template, 'properties', 'labels'), ...labelsOf(launch) },
    metadata: { items: Object.entries(metadata).map(([key, value]) => ({ key, value })) },
    scheduling: schedulingOf(capacityType, settings.acceleratorType !== null || settings.template === null),
    ...(capacityType === 'reserved' ? { reservationAffinity: { consumeReservationType: 'ANY_RESERVATION' } } : {}),
    ...(settings.acceleratorType === null ? {} : { guestAccelerators: [acceleratorOf(zone, settings)] }),
  };
  return settings.template === null ? { ...machine, ...fromImage(zone, settings) } : machine;
}

/** GPU machines cannot be moved while they run: they end for maintenance. */
function schedulingOf(capacityType: CapacityType, mayHaveGpus: boolean): Json {
  if (capacityType === 'spot') {
    return {
      provisioningModel: 'SPOT',
      instanceTerminationAction: 'DELETE',
      onHostMaintenance: 'TERMINATE',
      automaticRestart: false,
    };
  }
  return {
    provisioningModel: 'STANDARD',
    ...(mayHaveGpus ? { onHostMaintenance: 'TERMINATE' } : {}),
    automaticRestart: true,
  };
}

function acceleratorOf(zone: string, { acceleratorType, acceleratorCount }: GcpPoolSpec): Json {
  return { acceleratorType: `zones/${zone}/acceleratorTypes/${acceleratorType}`, acceleratorCount };
}

function fromImage(zone: string, settings: GcpPoolSpec): Json {
  const { image, diskBytes, diskType, network, subnetwork, publicAddress, serviceAccount } = settings;
  const disk = {
    boot: true,
    autoDelete: true,
    initializeParams: {
      sourceImage: image,
      diskSizeGb: String(Math.ceil(diskBytes / gib)),
      diskType: `zones/${zone}/diskTypes/${diskType}`,
    },
  };
  const nic = {
    network,
    ...(subnetwork === null ? {} : { subnetwork }),
    ...(publicAddress ? { accessConfigs: [{ type: 'ONE_TO_ONE_NAT', name: 'External NAT' }] } : {}),
  };
  const scopes = ['https://www.googleapis.com/auth/cloud-platform'];
  return {
    disks: [disk],
    networkInterfaces: [nic],
    ...(serviceAccount === null ? {} : { serviceAccounts: [{ email: serviceAccount, scopes }] }),
  };
}

/** Phase of an instance by its status, whatever it waits for to be ready. */
export function phaseOf(status: string | null, isReady: boolean): NodePhase {
  switch (status) {
    case 'RUNNING':
      return isReady ? 'ready' : 'running';
    case 'PROVISIONING':
      return 'requested';
    case 'STOPPING':
    case 'PENDING_STOP':
    case 'SUSPENDING':
      return 'stopping';
    case 'STOPPED':
    case 'TERMINATED':
    case 'SUSPENDED':
      return 'gone';
    default:
      // STAGING, and REPAIRING after a fault of the host.
      return 'booting';
  }
}

/** An instance as the engine sees it. */
export function observe(
  instance: Json,
  { project, cluster, readyLabel }: { project: string; cluster: string; readyLabel: boolean },
): NodeObservation {
  const zone = lastPart(textAt(instance, 'zone'));
  const name = textAt(instance, 'name') ?? '';
  const status = textAt(instance, 'status');
  const labels = objectAt(instance, 'labels');
  const marks = marksOfInstance(instance);
  const phase = phaseOf(status, !readyLabel || textAt(labels, 'ebb-ready') === 'true');
  return {
    id: marks.id,
    providerId: providerIdOf(project, zone, name),
    cluster: marks.cluster ?? cluster,
    pool: marks.pool,
    offering: {
      cloud: 'gcp',
      region: regionOf(zone),
      zone,
      instanceType: lastPart(textAt(instance, 'machineType')),
      capacityType: capacityOf(instance, textAt(labels, 'ebb-capacity')),
    },
    phase,
    askedAtMs: marks.askedAtMs ?? timeAt(instance, 'creationTimestamp'),
    readyAtMs:
      phase === 'ready' ? (timeAt(instance, 'lastStartTimestamp') ?? timeAt(instance, 'creationTimestamp')) : null,
    notice: null,
    message: textAt(instance, 'statusMessage') ?? `Compute Engine says ${status ?? 'nothing'}`,
    failure: phase === 'gone' ? 'terminated' : null,
  };
}

function capacityOf(instance: Json, label: string | null): CapacityType {
  const { preemptible, provisioningModel } = objectAt(instance, 'scheduling');
  if (provisioningModel === 'SPOT' || preemptible === true) return 'spot';
  return label === 'reserved' ? 'reserved' : 'on-demand';
}
