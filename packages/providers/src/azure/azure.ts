import { type NodeLaunch, type NodeObservation, type Provider, ProviderError } from '@ebb/core';
import { keyText, type NodePoolSpec } from '@ebb/documents';
import { FirstSight } from '../cloud/firstSight.ts';
import { Gate } from '../cloud/gate.ts';
import { textAt } from '../cloud/json.ts';
import { Losses } from '../cloud/losses.ts';
import { machineName } from '../cloud/names.ts';
import { zoneAsked } from '../cloud/zones.ts';
import { Watching } from '../cloud/watching.ts';
import type { ProviderPorts, ProviderSettings } from '../contract.ts';
import { Accounts } from './accounts.ts';
import type { ArmApi } from './armApi.ts';
import { isChanged, isMissing } from './errors.ts';
import { type Flexible, machineBody, noticeMs, observe } from './machine.ts';

/** How patient it is, and where the identity of this machine or pod is; other than the defaults in tests only. */
export interface AzurePace {
  pollEveryMs: number;
  operationEveryMs: number;
  timeoutMs: number;
  /** Longest wait for the end of one launch's operation: after it the machine is accepted, and followed by lists. */
  acceptWithinMs: number;
  identity: string;
  /** Variables of this process. */
  env: Readonly<Record<string, string | undefined>>;
}

const usualPace: AzurePace = {
  pollEveryMs: 10_000,
  operationEveryMs: 5000,
  timeoutMs: 30_000,
  acceptWithinMs: 300_000,
  identity: 'http://169.254.169.254',
  env: process.env,
};

/** Azure: machines made one by one in flexible scale sets, or members of uniform ones. */
export function openAzure(settings: ProviderSettings, ports: ProviderPorts, pace = usualPace): Promise<Provider> {
  return Promise.resolve(new AzureProvider(settings, ports, pace));
}

class AzureProvider implements Provider {
  readonly name = 'azure';
  readonly #settings: ProviderSettings;
  readonly #ports: ProviderPorts;
  readonly #pace: AzurePace;
  readonly #accounts: Accounts;
  readonly #watching: Watching;
  readonly #first = new FirstSight();
  readonly #losses = new Losses({ noticeMs });
  readonly #gate: Gate;

  constructor(settings: ProviderSettings, ports: ProviderPorts, pace: AzurePace) {
    this.#settings = settings;
    this.#ports = ports;
    this.#pace = pace;
    this.#gate = new Gate(settings);
    this.#accounts = new Accounts(settings, ports, pace);
    this.#watching = new Watching({ clock: ports.clock, everyMs: pace.pollEveryMs, list: () => this.#listAndTidy() });
  }

  async launch(launch: NodeLaunch): Promise<void> {
    const how = { cloud: 'Azure', field: 'spec.azure', of: (pool: NodePoolSpec) => pool.azure };
    const { pool, settings: azure } = this.#gate.poolOf(launch, how);
    const account = this.#accounts.of(pool, azure);
    const untilMs = this.#ports.clock.nowMs() + this.#pace.acceptWithinMs;
    try {
      if (azure.flexible !== null) await this.#create(account.api, launch, azure.flexible, untilMs);
      else {
        const { instanceType, capacityType } = launch.offering;
        const zone = zoneAsked(launch);
        const fits = (set: (typeof azure.scaleSets)[number]) =>
          set.instanceType === instanceType && set.capacityType === capacityType && (zone === '*' || set.zone === zone);
        const set = azure.scaleSets.find(fits);
        const found = set && account.uniform.get(set.name);
        if (!found) {
          const what = `${instanceType} ${capacityType} in zone ${zone}`;
          throw new ProviderError('unknown-offering', `pool ${launch.pool} has no scale set with ${what}`);
        }
        await found.launch(launch, untilMs);
      }
    } finally {
      this.#watching.ask();
    }
  }

  async terminate(node: { id: string } | { providerId: string }): Promise<void> {
    this.#gate.checkOpen();
    if ('id' in node) this.#gate.ended(node.id);
    const wanted = (one: NodeObservation) => ('id' in node ? one.id === node.id : one.providerId === node.providerId);
    for (const one of (await this.list()).filter(wanted)) await this.#end(one);
    this.#watching.ask();
  }

  async list(): Promise<NodeObservation[]> {
    this.#gate.checkOpen();
    const { cluster } = this.#settings;
    const readyTags = new Set(
      this.#settings.pools().flatMap(({ key, azure }) => (azure?.readyTag ? [keyText(key)] : [])),
    );
    const found: NodeObservation[] = [];
    for (const { api, uniform, flexible } of this.#accounts.all()) {
      for (const set of uniform.values()) found.push(...(await set.list(cluster)));
      for (const name of flexible) {
        const $filter = `'virtualMachineScaleSet/id' eq '${api.idOf(`virtualMachineScaleSets/${name}`)}'`;
        for (const machine of await api.list('virtualMachines', { $filter, $expand: 'instanceView' })) {
          const readyTag = readyTags.has(textAt(machine, 'tags', 'ebb-pool') ?? '');
          const node = observe(machine, { cluster: '', readyTag, offering: null });
          if (node.cluster === cluster) found.push(node);
        }
      }
    }
    const nowMs = this.#ports.clock.nowMs();
    return await this.#losses.told(this.#first.sight(found, nowMs), nowMs);
  }

  watch(listener: Parameters<Provider['watch']>[0]): () => void {
    return this.#watching.watch(listener);
  }

  close(): Promise<void> {
    this.#gate.close();
    this.#watching.close();
    return Promise.resolve();
  }

  /** Makes a machine of the id's name. One that could not be allocated is left behind by Azure, and is deleted. */
  async #create(api: ArmApi, launch: NodeLaunch, settings: Flexible, untilMs: number): Promise<void> {
    const path = `virtualMachines/${machineName(launch.id)}`;
    const body = machineBody(launch, api.idOf(`virtualMachineScaleSets/${settings.scaleSet}`), settings);
    try {
      const answer = await api.ask('PUT', path, { body, headers: { 'if-none-match': '*' } });
      await api.finished(answer, untilMs);
    } catch (error) {
      if (isChanged(error)) return await this.#checkOwn(api, path, launch);
      if (error instanceof ProviderError && error.code !== 'unavailable' && error.code !== 'throttled') {
        await this.#withdraw(api, path, launch, untilMs);
      }
      throw error;
    }
  }

  async #withdraw(api: ArmApi, path: string, { id, cluster }: NodeLaunch, untilMs: number): Promise<void> {
    try {
      const machine = await api.find(path);
      const isOwn = textAt(machine, 'tags', 'ebb-node') === id && textAt(machine, 'tags', 'ebb-cluster') === cluster;
      if (isOwn) await this.#delete(api, path, untilMs);
    } catch (failed) {
      this.#ports.log(`${path} could not be allocated, nor deleted: ${String(failed)}`);
    }
  }

  /** A machine of the name is there: fine if it is the one that was asked for before. */
  async #checkOwn(api: ArmApi, path: string, { id, cluster }: NodeLaunch): Promise<void> {
    const machine = await api.find(path);
    const state = textAt(machine, 'properties', 'provisioningState');
    if (machine === null || state === 'Deleting') {
      throw new ProviderError('unavailable', `Azure: ${path} is on its way out`);
    }
    if (textAt(machine, 'tags', 'ebb-node') === id && textAt(machine, 'tags', 'ebb-cluster') === cluster) return;
    throw new ProviderError('refused', `Azure: there is a ${path} that is not of cluster ${cluster}`);
  }

  async #delete(api: ArmApi, path: string, untilMs: number | null): Promise<void> {
    try {
      const answer = await api.ask('DELETE', path, { query: { forceDeletion: 'true' } });
      if (untilMs !== null) await api.finished(answer, untilMs);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async #end({ id, providerId }: NodeObservation): Promise<void> {
    if (providerId !== null) this.#losses.ended(providerId);
    for (const { api, uniform } of this.#accounts.all()) {
      if (providerId === null) {
        for (const set of uniform.values()) if (id !== null) await set.end(id);
        continue;
      }
      const inGroup = `azure://${api.idOf('')}`;
      if (!providerId.startsWith(inGroup)) continue;
      const path = providerId.slice(inGroup.length);
      const [, name = '', instanceId = ''] =
        /^virtualMachineScaleSets\/([^/]+)\/virtualMachines\/([^/]+)$/.exec(path) ?? [];
      const set = uniform.get(name);
      if (set && id !== null) await set.end(id);
      else if (set) await set.endMember(instanceId);
      else await this.#delete(api, path, null);
    }
  }

  /** What has stopped is deleted: its disk costs. Only by those who watch, so that a list alone changes nothing. */
  async #listAndTidy(): Promise<NodeObservation[]> {
    const { cluster } = this.#settings;
    for (const { uniform } of this.#accounts.all()) for (const set of uniform.values()) await set.settle(cluster);
    const nodes = await this.list();
    const leftovers = new Set(this.#losses.leftovers(nodes));
    for (const node of nodes) {
      if (node.providerId === null || !leftovers.has(node.providerId)) continue;
      this.#end(node).catch((error: unknown) => {
        this.#ports.log(`${node.providerId} has stopped and could not be deleted: ${String(error)}`);
      });
    }
    return nodes;
  }
}
