import type { CapacityType, NodeLaunch, NodeObservation, NodePhase } from '@ebb/core';
import type { AzurePoolSpec } from '@ebb/documents';
import { type Json, listAt, objectAt, textAt, timeAt } from '../cloud/json.ts';
import { machineName } from '../cloud/names.ts';
import { zoneAsked } from '../cloud/zones.ts';
import { errorOf } from './errors.ts';

const gib = 1024 ** 3;
/** Azure announces an eviction this long before, on the machine itself; from outside the machine is only seen to go. */
export const noticeMs = 30_000;

export type Flexible = NonNullable<AzurePoolSpec['flexible']>;

/** Tags of a machine; a value has at most 256 characters. */
export function tagsOf({
  cluster,
  pool,
  id,
  offering,
  askedAtMs,
}: Pick<NodeLaunch, 'cluster' | 'pool' | 'id' | 'offering' | 'askedAtMs'>) {
  return {
    'ebb-cluster': cluster,
    'ebb-pool': pool,
    'ebb-node': id,
    'ebb-asked': String(askedAtMs),
    'ebb-capacity': offering.capacityType,
  };
}

/** For what makes the machine a node of its cluster; it reads them from the instance metadata service. */
export function userDataOf({ labels, taints, startupTaints }: NodeLaunch): string {
  return Buffer.from(JSON.stringify({ labels, taints: [...taints, ...startupTaints] })).toString('base64');
}

/** `westeurope-1` as Kubernetes has it; `*` where a machine is in no zone. */
function zoneOf(machine: Json): string {
  const [zone] = listAt(machine, 'zones');
  return typeof zone === 'string' ? `${textAt(machine, 'location') ?? ''}-${zone}` : '*';
}

/** The body of a machine's PUT in a flexible scale set. */
export function machineBody(launch: NodeLaunch, scaleSetId: string, settings: Flexible): Json {
  const { region, instanceType, capacityType } = launch.offering;
  const zone = zoneAsked(launch);
  const name = machineName(launch.id);
  const isSpot = capacityType === 'spot';
  return {
    location: region,
    ...(zone === '*' ? {} : { zones: [zone.slice(zone.lastIndexOf('-') + 1)] }),
    tags: tagsOf(launch),
    ...(settings.identity === null
      ? {}
      : { identity: { type: 'UserAssigned', userAssignedIdentities: { [settings.identity]: {} } } }),
    properties: {
      virtualMachineScaleSet: { id: scaleSetId },
      hardwareProfile: { vmSize: instanceType },
      ...(isSpot
        ? { priority: 'Spot', evictionPolicy: 'Delete', billingProfile: { maxPrice: -1 } }
        : { priority: 'Regular' }),
      storageProfile: { imageReference: imageOf(settings.image), osDisk: diskOf(settings) },
      osProfile: osProfileOf(name, settings),
      networkProfile: networkOf(name, settings),
      userData: userDataOf(launch),
    },
  };
}

function imageOf(image: string): Json {
  if (image.startsWith('/')) return { id: image };
  const [publisher, offer, sku, version] = image.split(':');
  return { publisher, offer, sku, version };
}

function diskOf({ diskBytes, diskType }: Flexible): Json {
  return {
    createOption: 'FromImage',
    deleteOption: 'Delete',
    managedDisk: { storageAccountType: diskType },
    ...(diskBytes === null ? {} : { diskSizeGB: Math.ceil(diskBytes / gib) }),
  };
}

function osProfileOf(name: string, { adminUsername, sshPublicKey, customData }: Flexible): Json {
  const publicKeys = [{ path: `/home/${adminUsername}/.ssh/authorized_keys`, keyData: sshPublicKey }];
  return {
    computerName: name,
    adminUsername,
    linuxConfiguration: { disablePasswordAuthentication: true, ssh: { publicKeys } },
    ...(customData === null ? {} : { customData: Buffer.from(customData).toString('base64') }),
  };
}

function networkOf(name: string, { subnet }: Flexible): Json {
  const address = { name: 'primary', properties: { primary: true, subnet: { id: subnet } } };
  const properties = { primary: true, deleteOption: 'Delete', ipConfigurations: [address] };
  return {
    networkApiVersion: '2022-07-01',
    networkInterfaceConfigurations: [{ name: `${name}-nic`, properties }],
  };
}

/** A machine as the engine sees it: one of a flexible set, or a member of a uniform one. */
export function observe(
  machine: Json,
  known: { cluster: string; readyTag: boolean; offering: NodeObservation['offering'] | null },
): NodeObservation {
  const tags = objectAt(machine, 'tags');
  const state = stateOf(machine, !known.readyTag || textAt(tags, 'ebb-ready') === 'true');
  const asked = textAt(tags, 'ebb-asked') ?? '';
  const offering = known.offering ?? {
    cloud: 'azure',
    region: textAt(machine, 'location') ?? '',
    zone: zoneOf(machine),
    instanceType: textAt(machine, 'properties', 'hardwareProfile', 'vmSize') ?? '',
    capacityType: capacityOf(machine, textAt(tags, 'ebb-capacity')),
  };
  return {
    id: textAt(tags, 'ebb-node'),
    providerId: `azure://${textAt(machine, 'id') ?? ''}`,
    cluster: textAt(tags, 'ebb-cluster') ?? known.cluster,
    pool: textAt(tags, 'ebb-pool'),
    offering: offering.zone === '*' ? { ...offering, zone: zoneOf(machine) } : offering,
    phase: state.phase,
    askedAtMs: /^\d{1,15}$/.test(asked) ? Number(asked) : timeAt(machine, 'properties', 'timeCreated'),
    readyAtMs: null,
    notice: null,
    message: state.message,
    failure: state.failure,
  };
}

function capacityOf(machine: Json, tag: string | null): CapacityType {
  if (textAt(machine, 'properties', 'priority') === 'Spot') return 'spot';
  return tag === 'reserved' ? 'reserved' : 'on-demand';
}

interface State {
  phase: NodePhase;
  message: string;
  failure: string | null;
}

/** By provisioning state and power state, which Azure tells apart. */
function stateOf(machine: Json, isReady: boolean): State {
  const provisioning = textAt(machine, 'properties', 'provisioningState') ?? 'nothing';
  const statuses = listAt(machine, 'properties', 'instanceView', 'statuses');
  const codes = statuses.map((status) => textAt(status, 'code') ?? '');
  const power = codes.find((code) => code.startsWith('PowerState/'))?.slice('PowerState/'.length) ?? null;
  const message = `Azure says ${provisioning}${power === null ? '' : `, ${power}`}`;
  if (provisioning === 'Deleting') return { phase: 'stopping', message, failure: null };
  if (power === 'stopping' || power === 'deallocating') return { phase: 'stopping', message, failure: null };
  if (power === 'stopped' || power === 'deallocated') return { phase: 'gone', message, failure: 'terminated' };
  if (power === 'running') return { phase: isReady ? 'ready' : 'running', message, failure: null };
  if (provisioning !== 'Failed') return { phase: power === null ? 'requested' : 'booting', message, failure: null };
  const at = codes.findIndex((code) => code.startsWith('ProvisioningState/failed'));
  const why = { code: codes[at]?.split('/').at(-1) ?? 'Failed', message: textAt(statuses[at], 'message') ?? message };
  const error = errorOf(why, 409);
  return { phase: 'gone', message: error.message, failure: error.code };
}
