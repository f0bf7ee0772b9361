import { FakeServer, type FakeAnswer, type FakeQuestion } from '../cloud/fakeServer.fixture.ts';
import { type Json, lastPart, listAt, objectAt, textAt } from '../cloud/json.ts';

interface Instance extends Record<string, unknown> {
  id: string;
  name: string;
  zone: string;
  status: string;
  /** Lists until it is gone, once it stops. */
  stoppingFor: number;
}

interface Operation extends Record<string, unknown> {
  name: string;
  zone: string;
  /** Questions until it is done. */
  left: number;
  targetLink: string;
  operationType: string;
  failure: Json | null;
}

interface Member {
  name: string;
  metadata: Json;
  currentAction: string;
  errors: Json[];
  /** By the group's health check; null: it has none. */
  health: string | null;
}

interface Group {
  zone: string;
  name: string;
  machineType: string;
  spot: boolean;
  members: Map<string, Member>;
}

const path = 'https://www.googleapis.com/compute/v1';

/** An error as the API answers it. */
export function apiError(
  status: number,
  reason: string,
  message: string,
  headers: Record<string, string> = {},
): FakeAnswer {
  const errors = [{ message, domain: 'global', reason }];
  return { status, headers, body: { error: { code: status, message, errors } } };
}

/** An operation's error for a zone that has no such machine left. */
export function stockOut(zone: string, vmType: string): Json {
  const info = { reason: 'resource_availability', domain: 'compute.googleapis.com', metadatas: { vmType, zone } };
  const message = `The zone 'projects/vision-prod/zones/${zone}' does not have enough resources available to fulfill the request.`;
  const error = { code: 'ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS', message, errorDetails: [{ errorInfo: info }] };
  return { httpErrorStatusCode: 503, httpErrorMessage: 'SERVICE UNAVAILABLE', error: { errors: [error] } };
}

export function quotaError(): Json {
  const error = {
    code: 'QUOTA_EXCEEDED',
    message: "Quota 'NVIDIA_L4_GPUS' exceeded.  Limit: 1.0 in region europe-west4.",
  };
  return { httpErrorStatusCode: 403, httpErrorMessage: 'FORBIDDEN', error: { errors: [error] } };
}

/**
 * Compute Engine as far as the provider asks it, by the documented shapes: instances, zonal operations, managed instance groups.
 * A machine comes one step further with each list: PROVISIONING, STAGING, RUNNING; STOPPING, then it is gone.
 */
export class FakeCompute {
  readonly project = 'vision-prod';
  token = 'ya29.fake-token';
  readonly zones = ['europe-west4-a', 'europe-west4-b', 'europe-west4-c'];
  readonly machineTypes = ['g2-standard-4', 'g2-standard-8', 'e2-medium'];
  readonly instances = new Map<string, Instance>();
  readonly operations: Operation[] = [];
  readonly groups: Group[] = [];
  /** Operation errors of the next machines, by `zone/type` or `*`; null: none is left for ever. */
  readonly shortages = new Map<string, Json>();
  /** Questions until an operation is done. */
  operationSteps = 2;
  beginsAs = 'PROVISIONING';
  /** False: machines stay as they are. */
  movesOn = true;
  /** Properties of the instance template `gpu`. */
  template: Json = { labels: { team: 'vision' }, metadata: { items: [{ key: 'startup-script', value: '#!/bin/sh' }] } };
  /** How far the cloud's clock is ahead. */
  skewMs = 0;
  readonly server = new FakeServer((question) => this.#answer(question));
  readonly #byRequest = new Map<string, Operation>();
  #number = 0;

  addGroup(group: Omit<Group, 'members'>): void {
    this.groups.push({ ...group, members: new Map() });
  }

  /** A machine that somebody else made. */
  addForeign(zone: string, name: string, labels: Record<string, string>): void {
    this.#create(zone, name, 'e2-medium', { labels });
  }

  /** The cloud takes a spot machine back. */
  preempt(name: string): void {
    const instance = [...this.instances.values()].find((one) => one.name === name);
    if (!instance) throw new Error(`no instance ${name}`);
    instance.status = 'STOPPING';
    this.#operate(instance.zone, instance.name, 'compute.instances.preempted', null).left = 0;
  }

  #answer(question: FakeQuestion): FakeAnswer {
    if (question.headers.authorization !== `Bearer ${this.token}`) {
      return apiError(401, 'authError', 'Invalid Credentials');
    }
    const found = /^\/compute\/v1\/projects\/([^/]+)\/(.*)$/.exec(question.path);
    const [, project, rest = ''] = found ?? [];
    if (project !== this.project) return apiError(403, 'forbidden', `Required permission for project ${project}`);
    const parts = rest.split('/');
    if (rest === 'aggregated/instances') return this.#instances(question);
    if (rest === 'aggregated/operations') return this.#operationsOf(question);
    if (rest === 'global/instanceTemplates/gpu')
      return { status: 200, body: { name: 'gpu', properties: this.template } };
    if (parts[0] === 'regions') return this.#region(parts[1] ?? '');
    const [, zone = '', kind = '', name = '', verb = ''] = parts;
    if (!this.zones.includes(zone)) return apiError(404, 'notFound', `The resource 'zones/${zone}' was not found`);
    if (kind === 'operations') return this.#operation(name);
    if (kind === 'instanceGroupManagers') return this.#group(zone, name, verb, question);
    if (kind !== 'instances') return apiError(404, 'notFound', `nothing at ${rest}`);
    if (question.method === 'POST') return this.#insert(zone, question);
    const instance = this.instances.get(`${zone}/${name}`);
    if (!instance) return apiError(404, 'notFound', `The resource 'zones/${zone}/instances/${name}' was not found`);
    if (question.method === 'GET') return { status: 200, body: instance };
    instance.status = 'STOPPING';
    return ok(this.#operate(zone, name, 'delete', null));
  }

  #region(region: string): FakeAnswer {
    const zones = this.zones.filter((zone) => zone.startsWith(`${region}-`)).map((zone) => `${path}/zones/${zone}`);
    return zones.length > 0
      ? { status: 200, body: { name: region, zones } }
      : apiError(404, 'notFound', `no region ${region}`);
  }

  #instances({ query }: FakeQuestion): FakeAnswer {
    const [, label = '', value = ''] = /^labels\.([-a-z]+)="(.*)"$/.exec(query.get('filter') ?? '') ?? [];
    this.#step();
    const items: Record<string, { instances: Instance[] }> = {};
    for (const instance of this.instances.values()) {
      if (textAt(instance, 'labels', label) !== value) continue;
      const scope = `zones/${lastPart(instance.zone)}`;
      items[scope] = { instances: [...(items[scope]?.instances ?? []), instance] };
    }
    return { status: 200, body: { kind: 'compute#instanceAggregatedList', items } };
  }

  #operationsOf({ query }: FakeQuestion): FakeAnswer {
    const [, type = ''] = /^operationType="(.*)"$/.exec(query.get('filter') ?? '') ?? [];
    const operations = this.operations.filter(({ operationType }) => operationType === type);
    return { status: 200, body: { items: { all: { operations } } } };
  }

  #operation(name: string): FakeAnswer {
    const operation = this.operations.find((one) => one.name === name);
    if (!operation) return apiError(404, 'notFound', `The resource '${name}' was not found`);
    operation.left -= 1;
    return ok(operation);
  }

  #insert(zone: string, { body, query }: FakeQuestion): FakeAnswer {
    const name = textAt(body, 'name') ?? '';
    const type = lastPart(textAt(body, 'machineType'));
    const requestId = query.get('requestId') ?? '';
    const earlier = this.#byRequest.get(requestId);
    if (earlier) return ok(earlier);
    if (!this.machineTypes.includes(type)) {
      const message = `Invalid value for field 'resource.machineType': '${type}'. Machine type with name '${type}' does not exist in zone '${zone}'.`;
      return apiError(400, 'invalid', message);
    }
    if (this.instances.has(`${zone}/${name}`)) {
      return apiError(409, 'alreadyExists', `The resource 'zones/${zone}/instances/${name}' already exists`);
    }
    const failure = this.#shortage(zone, type);
    if (failure === null) this.#create(zone, name, type, body);
    const operation = this.#operate(zone, name, 'insert', failure);
    if (requestId !== '') this.#byRequest.set(requestId, operation);
    return ok(operation);
  }

  #group(zone: string, name: string, verb: string, { body, query }: FakeQuestion): FakeAnswer {
    const group = this.groups.find((one) => one.zone === zone && one.name === name);
    if (!group) return apiError(404, 'notFound', `The resource 'instanceGroupManagers/${name}' was not found`);
    const earlier = this.#byRequest.get(query.get('requestId') ?? '');
    if (earlier) return ok(earlier);
    if (verb === 'createInstances') {
      for (const wanted of listAt(body, 'instances')) {
        const member = textAt(wanted, 'name') ?? '';
        if (group.members.has(member)) return apiError(400, 'alreadyExists', `Instance '${member}' already exists.`);
        const metadata = objectAt(wanted, 'preservedState', 'metadata');
        group.members.set(member, { name: member, metadata, currentAction: 'CREATING', errors: [], health: null });
      }
      const operation = this.#operate(zone, name, 'compute.instanceGroupManagers.createInstances', null);
      this.#byRequest.set(query.get('requestId') ?? `none ${operation.name}`, operation);
      return ok(operation);
    }
    if (verb === 'deleteInstances') {
      for (const address of listAt(body, 'instances')) {
        const member = group.members.get(lastPart(String(address)));
        if (member) member.currentAction = 'DELETING';
        const instance = this.instances.get(`${zone}/${member?.name}`);
        if (instance) instance.status = 'STOPPING';
      }
      return ok(this.#operate(zone, name, 'compute.instanceGroupManagers.deleteInstances', null));
    }
    this.#stepGroup(group);
    const managedInstances = [...group.members.values()].map((member) => this.#managed(group, member));
    return { status: 200, body: { managedInstances } };
  }

  #managed({ zone }: Group, { name, metadata, currentAction, errors, health }: Member): Json {
    const instance = this.instances.get(`${zone}/${name}`);
    return {
      name,
      instance: `${path}/projects/${this.project}/zones/${zone}/instances/${name}`,
      currentAction,
      ...(instance ? { id: instance.id, instanceStatus: instance.status } : {}),
      ...(errors.length > 0 ? { lastAttempt: { errors: { errors } } } : {}),
      ...(health === null || !instance ? {} : { instanceHealth: [{ detailedHealthState: health }] }),
      preservedStateFromConfig: { metadata },
    };
  }

  #stepGroup({ zone, machineType, spot, members }: Group): void {
    for (const [name, member] of members) {
      const instance = this.instances.get(`${zone}/${name}`);
      if (member.currentAction === 'DELETING' && !instance) members.delete(name);
      // A group makes up for what it loses.
      if (member.currentAction === 'NONE' && instance?.status !== 'RUNNING') member.currentAction = 'RECREATING';
      if (member.currentAction !== 'CREATING' && (member.currentAction !== 'RECREATING' || instance)) continue;
      const failure = instance ? null : this.#shortage(zone, machineType);
      if (failure !== null) member.errors = listAt(failure, 'error', 'errors').map((one) => objectAt(one));
      else if (!instance)
        this.#create(zone, name, machineType, { scheduling: spot ? { provisioningModel: 'SPOT' } : {} });
      else if (instance.status === 'RUNNING') member.currentAction = 'NONE';
    }
    this.#step();
  }

  #shortage(zone: string, type: string): Json | null {
    return this.shortages.get(`${zone}/${type}`) ?? this.shortages.get(type) ?? this.shortages.get('*') ?? null;
  }

  #create(zone: string, name: string, type: string, body: Json): void {
    this.instances.set(`${zone}/${name}`, {
      ...body,
      id: String(4_000_000_000_000_000_000n + BigInt(++this.#number)),
      name,
      zone: `${path}/projects/${this.project}/zones/${zone}`,
      machineType: `${path}/projects/${this.project}/zones/${zone}/machineTypes/${type}`,
      status: this.beginsAs,
      stoppingFor: 4,
      creationTimestamp: this.#time(),
    });
  }

  #time(): string {
    return new Date(Date.now() + this.skewMs).toISOString();
  }

  #step(): void {
    if (!this.movesOn) return;
    const next: Record<string, string> = { PROVISIONING: 'STAGING', STAGING: 'RUNNING' };
    for (const [key, instance] of this.instances) {
      if (instance.status === 'STOPPING' && --instance.stoppingFor < 0) this.instances.delete(key);
      else if (instance.status === 'STOPPING') continue;
      else if (next[instance.status] !== undefined) {
        instance.status = next[instance.status] ?? '';
        instance.lastStartTimestamp = this.#time();
      }
    }
  }

  #operate(zone: string, name: string, operationType: string, failure: Json | null): Operation {
    const operation: Operation = {
      name: `operation-${++this.#number}`,
      zone: lastPart(zone),
      left: this.operationSteps,
      operationType,
      targetLink: `${path}/projects/${this.project}/zones/${lastPart(zone)}/instances/${name}`,
      failure,
    };
    this.operations.push(operation);
    return operation;
  }
}

function ok({ left, failure, ...operation }: Operation): FakeAnswer {
  const status = left > 0 ? 'RUNNING' : 'DONE';
  return { status: 200, body: { kind: 'compute#operation', ...operation, status, ...(left > 0 ? {} : failure) } };
}
