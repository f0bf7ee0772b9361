import { FakeServer, type FakeAnswer, type FakeQuestion } from '../cloud/fakeServer.fixture.ts';
import { type Json, listAt, numberAt, objectAt, textAt } from '../cloud/json.ts';

interface Machine {
  name: string;
  body: Json;
  provisioningState: string;
  power: string | null;
  failure: Json | null;
  timeCreated: string;
  /** Questions until it has gone, once it is being deleted. */
  deletingFor: number;
}

interface UniformSet {
  name: string;
  capacity: number;
  vmSize: string;
  spot: boolean;
  tags: Json;
  etag: number;
  members: Map<string, Machine>;
  next: number;
}

interface Operation {
  left: number;
  failure: Json | null;
}

/** An error as the Resource Manager answers it. */
export function armError(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): FakeAnswer {
  return { status, headers, body: { error: { code, message } } };
}

const allocation =
  'Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about improving likelihood of allocation success.';
export const allocationFailed: Json = { code: 'AllocationFailed', message: allocation };
export const quotaExceeded: Json = {
  code: 'OperationNotAllowed',
  message:
    'Operation could not be completed as it results in exceeding approved standardNCASv3_T4Family Cores quota. Current Limit: 4, Current Usage: 4, Additional Required: 4.',
};

/**
 * The Resource Manager as far as the provider asks it, by the documented shapes: sign-in, virtual machines of a flexible scale set,
 * uniform scale sets, operations. A machine comes one step further with each list.
 */
export class FakeArm {
  readonly subscription = '11111111-2222-3333-4444-555555555555';
  readonly resourceGroup = 'inference';
  /** What the service account of a pod proves itself with. */
  readonly assertion = 'signed-by-the-cluster';
  readonly secret = { tenantId: 'tenant', clientId: 'client', clientSecret: 'hunter2' };
  readonly sizes = ['Standard_NC4as_T4_v3', 'Standard_D4s_v5'];
  readonly machines = new Map<string, Machine>();
  readonly sets = new Map<string, UniformSet>();
  /** What the next machines suffer; `code` QuotaExceeded and the like at once, allocation in the operation. */
  shortage: Json | null = null;
  operationSteps = 2;
  skewMs = 0;
  /** Tokens that were given. */
  tokens = 0;
  url = '';
  readonly server = new FakeServer((question) => this.#answer(question));
  readonly #operations = new Map<string, Operation>();
  #number = 0;

  async listen(): Promise<string> {
    this.url = await this.server.listen();
    return this.url;
  }

  addSet(name: string, vmSize: string, spot: boolean): void {
    this.sets.set(name, { name, capacity: 0, vmSize, spot, tags: {}, etag: 1, members: new Map(), next: 0 });
  }

  get prefix(): string {
    return `/subscriptions/${this.subscription}/resourceGroups/${this.resourceGroup}/providers/Microsoft.Compute`;
  }

  /** The machine with the tag of the id, wherever it is. */
  machineOf(id: string): Machine {
    for (const machines of [this.machines, ...[...this.sets.values()].map(({ members }) => members)]) {
      for (const machine of machines.values()) if (textAt(machine.body, 'tags', 'ebb-node') === id) return machine;
    }
    throw new Error(`no machine of ${id}`);
  }

  remove(id: string): void {
    const wanted = this.machineOf(id);
    for (const machines of [this.machines, ...[...this.sets.values()].map(({ members }) => members)]) {
      for (const [key, machine] of machines) if (machine === wanted) machines.delete(key);
    }
    for (const set of this.sets.values()) set.capacity = set.members.size;
  }

  addForeign(name: string, tags: Json): void {
    this.#create(this.machines, name, {
      location: 'westeurope',
      tags,
      properties: this.#properties('Standard_D4s_v5', false),
    });
  }

  addForeignMember(set: string): string {
    const found = this.sets.get(set);
    if (!found) throw new Error(`no set ${set}`);
    found.capacity += 1;
    this.#grow(found);
    return `azure://${this.prefix}/virtualMachineScaleSets/${set}/virtualMachines/${found.next - 1}`;
  }

  #properties(vmSize: string, spot: boolean): Json {
    return { hardwareProfile: { vmSize }, priority: spot ? 'Spot' : 'Regular' };
  }

  #answer(question: FakeQuestion): FakeAnswer {
    const { path, headers, method, body } = question;
    if (path.endsWith('/oauth2/v2.0/token')) return this.#signIn(body);
    if (path === '/metadata/identity/oauth2/token') return this.#identity(question);
    if (!/^Bearer fake-token-\d+$/.test(headers.authorization ?? '')) {
      return armError(401, 'InvalidAuthenticationToken', 'The access token is invalid.');
    }
    if (path.startsWith('/operations/')) return this.#operation(path.slice('/operations/'.length));
    if (!path.startsWith(`${this.prefix}/`))
      return armError(403, 'AuthorizationFailed', 'no authorization over the scope');
    const [kind, name = '', sub, instance = ''] = path.slice(this.prefix.length + 1).split('/');
    if (kind === 'virtualMachines') return name === '' ? this.#list(question) : this.#machine(name, question);
    const set = this.sets.get(name);
    if (kind !== 'virtualMachineScaleSets' || !set) return armError(404, 'ResourceNotFound', `${path} was not found`);
    if (sub === 'virtualMachines') return this.#member(set, instance, question);
    if (sub === 'delete' && method === 'POST') return this.#deleteMembers(set, body);
    return method === 'GET' ? { status: 200, body: this.#setBody(set) } : this.#patch(set, question);
  }

  #signIn(form: Json): FakeAnswer {
    const { clientId, clientSecret } = this.secret;
    const isAsserted =
      form.client_assertion_type === 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' &&
      form.client_assertion === this.assertion;
    const isRight = form.client_id === clientId && (form.client_secret === clientSecret || isAsserted);
    if (isRight && form.scope === `${this.url}/.default`) return this.#token(3599);
    const error_description = "AADSTS7000215: Invalid client secret provided for app 'client'.\r\nTrace ID: 1";
    return { status: 401, body: { error: 'invalid_client', error_description } };
  }

  #identity({ headers, query }: FakeQuestion): FakeAnswer {
    if (headers.metadata !== 'true' || query.get('resource') !== `${this.url}/`) return { status: 400, body: {} };
    return this.#token('3599');
  }

  #token(expires_in: number | string): FakeAnswer {
    return { status: 200, body: { access_token: `fake-token-${++this.tokens}`, expires_in, token_type: 'Bearer' } };
  }

  #operation(name: string): FakeAnswer {
    const operation = this.#operations.get(name);
    if (!operation) return armError(404, 'NotFound', 'no such operation');
    operation.left -= 1;
    if (operation.left > 0) return { status: 200, body: { status: 'InProgress' } };
    if (operation.failure === null) return { status: 200, body: { status: 'Succeeded' } };
    return { status: 200, body: { status: 'Failed', error: operation.failure } };
  }

  #accept(status: number, body: unknown, failure: Json | null): FakeAnswer {
    const name = `op-${++this.#number}`;
    this.#operations.set(name, { left: this.operationSteps, failure });
    return {
      status,
      body,
      headers: { 'azure-asyncoperation': `${this.url}/operations/${name}?api-version=2024-07-01` },
    };
  }

  #machine(name: string, { method, body, headers }: FakeQuestion): FakeAnswer {
    const machine = this.machines.get(name);
    if (method === 'GET') {
      return machine
        ? { status: 200, body: this.#shown(machine, null) }
        : armError(404, 'ResourceNotFound', `${name} was not found`);
    }
    if (method === 'DELETE') {
      if (!machine) return { status: 204 };
      machine.provisioningState = 'Deleting';
      return this.#accept(202, undefined, null);
    }
    if (machine && headers['if-none-match'] === '*') {
      return armError(412, 'PreconditionFailed', 'The condition of If-None-Match is not met.');
    }
    const size = textAt(body, 'properties', 'hardwareProfile', 'vmSize') ?? '';
    if (!this.sizes.includes(size)) {
      return armError(400, 'InvalidParameter', `The value ${size} provided for the VM size is not valid.`);
    }
    const { shortage } = this;
    if (shortage?.code === 'OperationNotAllowed') return { status: 409, body: { error: shortage } };
    const made = this.#create(this.machines, name, body);
    if (shortage !== null) made.failure = shortage;
    return this.#accept(201, this.#shown(made, null), shortage);
  }

  #list({ query }: FakeQuestion): FakeAnswer {
    const [, set = ''] = /virtualMachineScaleSets\/([^']+)'$/.exec(query.get('$filter') ?? '') ?? [];
    this.#step(this.machines);
    if (set !== 'flex') return { status: 200, body: { value: [] } };
    const all = [...this.machines.values()].map((machine) => this.#shown(machine, null));
    // In pages of two, so that every longer list has several.
    const from = Number(query.get('skip') ?? 0);
    const nextLink =
      from + 2 < all.length ? { nextLink: `${this.url}${this.prefix}/virtualMachines?${this.#next(query, from)}` } : {};
    return { status: 200, body: { value: all.slice(from, from + 2), ...nextLink } };
  }

  #next(query: URLSearchParams, from: number): string {
    const next = new URLSearchParams(query);
    next.set('skip', String(from + 2));
    return next.toString();
  }

  #setBody({ name, capacity, vmSize, tags, etag }: UniformSet): Json {
    const sku = { name: vmSize, tier: 'Standard', capacity };
    return { name, sku, tags, etag: `"${etag}"`, location: 'westeurope', properties: { orchestrationMode: 'Uniform' } };
  }

  #patch(set: UniformSet, { body, headers }: FakeQuestion): FakeAnswer {
    if (headers['if-match'] !== undefined && headers['if-match'] !== `"${set.etag}"`) {
      return armError(412, 'PreconditionFailed', 'The etag does not match.');
    }
    const capacity = numberAt(body, 'sku', 'capacity') ?? set.capacity;
    if (capacity > set.capacity && this.shortage?.code === 'OperationNotAllowed') {
      return { status: 409, body: { error: this.shortage } };
    }
    set.etag += 1;
    if (body.tags !== undefined) set.tags = objectAt(body.tags);
    const grows = capacity > set.capacity;
    set.capacity = capacity;
    if (grows) this.#grow(set);
    return this.#accept(200, this.#setBody(set), grows ? this.shortage : null);
  }

  #grow(set: UniformSet): void {
    const staying = () => [...set.members.values()].filter(({ provisioningState }) => provisioningState !== 'Deleting');
    while (staying().length < set.capacity) {
      const number = String(set.next++);
      const properties = this.#properties(set.vmSize, set.spot);
      const member = this.#create(set.members, number, { location: 'westeurope', tags: {}, properties });
      member.failure = this.shortage;
    }
  }

  #member(set: UniformSet, instanceId: string, { method, body }: FakeQuestion): FakeAnswer {
    if (instanceId === '') {
      this.#step(set.members);
      const value = [...set.members.values()].map((member) => this.#shown(member, set));
      return { status: 200, body: { value } };
    }
    const member = set.members.get(instanceId);
    if (!member) return armError(404, 'ResourceNotFound', `instance ${instanceId} was not found`);
    if (method === 'PUT') member.body = { ...member.body, tags: body.tags, properties: body.properties };
    return { status: 200, body: this.#shown(member, set) };
  }

  #deleteMembers(set: UniformSet, body: Json): FakeAnswer {
    for (const id of listAt(body, 'instanceIds')) {
      const member = set.members.get(String(id));
      if (!member)
        return armError(400, 'InvalidParameter', `The provided instanceId ${String(id)} is not an active instance.`);
      if (member.provisioningState !== 'Deleting') set.capacity -= 1;
      member.provisioningState = 'Deleting';
    }
    set.etag += 1;
    return this.#accept(202, undefined, null);
  }

  #create(machines: Map<string, Machine>, name: string, body: Json): Machine {
    const timeCreated = new Date(Date.now() + this.skewMs).toISOString();
    const rest = { provisioningState: 'Creating', power: null, failure: null, timeCreated, deletingFor: 4 };
    const machine: Machine = { name, body, ...rest };
    machines.set(name, machine);
    return machine;
  }

  #step(machines: Map<string, Machine>): void {
    for (const [key, machine] of machines) {
      if (machine.provisioningState === 'Deleting') {
        if (--machine.deletingFor < 0) machines.delete(key);
      } else if (machine.failure !== null) machine.provisioningState = 'Failed';
      else if (machine.power === null) machine.power = 'starting';
      else if (machine.power === 'starting') {
        machine.power = 'running';
        machine.provisioningState = 'Succeeded';
      } else if (machine.power === 'deallocating') machine.provisioningState = 'Deleting';
    }
  }

  #shown({ name, body, provisioningState, power, failure, timeCreated }: Machine, set: UniformSet | null): Json {
    const own =
      set === null ? `virtualMachines/${name}` : `virtualMachineScaleSets/${set.name}/virtualMachines/${name}`;
    const statuses = [
      failure !== null && provisioningState === 'Failed'
        ? { code: `ProvisioningState/failed/${textAt(failure, 'code')}`, message: failure.message }
        : { code: `ProvisioningState/${provisioningState.toLowerCase()}` },
      ...(power === null ? [] : [{ code: `PowerState/${power}` }]),
    ];
    const properties = { ...objectAt(body, 'properties'), provisioningState, timeCreated, instanceView: { statuses } };
    return { ...body, ...(set === null ? {} : { instanceId: name }), id: `${this.prefix}/${own}`, name, properties };
  }
}
