import { type NodeLaunch, type NodeObservation, type Provider, ProviderError } from '@ebb/core';
import { type GcpPoolSpec, keyText, type NodePoolSpec } from '@ebb/documents';
import { FirstSight } from '../cloud/firstSight.ts';
import { Gate } from '../cloud/gate.ts';
import { Losses } from '../cloud/losses.ts';
import { machineName, uuidOf } from '../cloud/names.ts';
import { later } from '../cloud/waiting.ts';
import { zoneAsked } from '../cloud/zones.ts';
import { Watching } from '../cloud/watching.ts';
import type { ProviderPorts, ProviderSettings } from '../contract.ts';
import { type ComputeApi, isDuplicate, isMissing } from './computeApi.ts';
import { isFinal } from './errors.ts';
import { type Group, groupsFor, joinGroup, leaveGroup, membersOf, observeMember } from './groups.ts';
import { instanceBody, noticeMs, observe, partsOfProviderId, providerIdOf } from './machine.ts';
import { clusterFilter, isOf, marksOfInstance } from './marks.ts';
import { Projects } from './projects.ts';

/** How patient it is; other than the defaults in tests only. */
export interface GcpPace {
  pollEveryMs: number;
  operationEveryMs: number;
  timeoutMs: number;
  /** Longest wait for the end of one launch's operation: after it the machine is accepted, and followed by lists. */
  acceptWithinMs: number;
}

const usualPace: GcpPace = { pollEveryMs: 10_000, operationEveryMs: 2000, timeoutMs: 30_000, acceptWithinMs: 300_000 };

/** Compute Engine: machines made one by one or as members of managed instance groups. */
export function openGcp(settings: ProviderSettings, ports: ProviderPorts, pace = usualPace): Promise<Provider> {
  return Promise.resolve(new GcpProvider(settings, ports, pace));
}

class GcpProvider implements Provider {
  readonly name = 'gcp';
  readonly #settings: ProviderSettings;
  readonly #ports: ProviderPorts;
  readonly #pace: GcpPace;
  readonly #projects: Projects;
  readonly #watching: Watching;
  readonly #first = new FirstSight();
  readonly #gate: Gate;
  /** By id: launches that failed for good so far, so that the next one is a new request. */
  readonly #attempts = new Map<string, number>();
  readonly #losses: Losses;

  constructor(settings: ProviderSettings, ports: ProviderPorts, pace: GcpPace) {
    this.#settings = settings;
    this.#ports = ports;
    this.#pace = pace;
    this.#gate = new Gate(settings);
    this.#losses = new Losses({ noticeMs, taken: () => this.#preempted() });
    this.#projects = new Projects(settings, ports, pace);
    this.#watching = new Watching({ clock: ports.clock, everyMs: pace.pollEveryMs, list: () => this.#listAndTidy() });
  }

  async launch(launch: NodeLaunch): Promise<void> {
    const how = { cloud: 'Google Cloud', field: 'spec.gcp', of: (pool: NodePoolSpec) => pool.gcp };
    const { pool, settings } = this.#gate.poolOf(launch, how);
    const api = this.#projects.of(settings, pool.key.namespace);
    try {
      if (settings.groups.length > 0) await this.#join(api, launch, settings);
      else await this.#insert(api, launch, settings);
    } catch (error) {
      // Asked under the same request id, Compute Engine would repeat its old answer.
      if (isFinal(error)) this.#attempts.set(launch.id, (this.#attempts.get(launch.id) ?? 0) + 1);
      throw error;
    } finally {
      this.#watching.ask();
    }
  }

  async terminate(node: { id: string } | { providerId: string }): Promise<void> {
    this.#gate.checkOpen();
    if ('id' in node) this.#gate.ended(node.id);
    for (const providerId of 'id' in node ? await this.#find(node.id) : [node.providerId]) await this.#end(providerId);
    this.#watching.ask();
  }

  async list(): Promise<NodeObservation[]> {
    this.#gate.checkOpen();
    const { cluster } = this.#settings;
    const readyLabels = new Set(
      this.#settings.pools().flatMap(({ key, gcp }) => (gcp?.readyLabel ? [keyText(key)] : [])),
    );
    const found: NodeObservation[] = [];
    for (const { api, groups } of this.#projects.all()) {
      const { project } = api;
      for (const group of groups) {
        const members = await membersOf(api, group);
        const seen = members.map((managed) => observeMember(managed, group, { project, cluster }));
        found.push(...seen.filter((node) => node.cluster === cluster));
      }
      for (const instance of await api.instances(clusterFilter(cluster))) {
        if (!isOf(instance, cluster)) continue;
        const readyLabel = readyLabels.has(marksOfInstance(instance).pool ?? '');
        const node = observe(instance, { project, cluster, readyLabel });
        if (!found.some(({ providerId }) => providerId === node.providerId)) found.push(node);
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

  async #insert(api: ComputeApi, launch: NodeLaunch, settings: GcpPoolSpec): Promise<void> {
    const { region } = launch.offering;
    const zone = zoneAsked(launch);
    const zones = zone === '*' ? await this.#zones(api, region, launch.id) : [zone];
    if (zone === '*' && (await this.#find(launch.id)).length > 0) return;
    let last: unknown = new ProviderError('unknown-offering', `Google Cloud: region ${region} has no zones`);
    for (const one of zones) {
      try {
        await this.#insertIn(api, one, launch, settings);
        return;
      } catch (error) {
        last = error;
        const code = error instanceof ProviderError ? error.code : null;
        if (code !== 'stock-out' && code !== 'unknown-offering') throw error;
      }
    }
    throw last;
  }

  async #insertIn(api: ComputeApi, zone: string, launch: NodeLaunch, settings: GcpPoolSpec): Promise<void> {
    const { clock } = this.#ports;
    const untilMs = clock.nowMs() + this.#pace.acceptWithinMs;
    const query = {
      requestId: uuidOf(`insert ${zone} ${this.#attempt(launch.id)}`),
      ...(settings.template === null ? {} : { sourceInstanceTemplate: settings.template }),
    };
    const template = settings.template === null ? null : await api.ask('GET', settings.template);
    const body = instanceBody(launch, zone, settings, template);
    try {
      const operation = await api.ask('POST', `zones/${zone}/instances`, query, body);
      await api.finished(zone, operation, untilMs);
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      await this.#checkOwn(api, zone, launch);
    }
  }

  /** A machine of the name is there: fine if it is the one that was asked for before. */
  async #checkOwn(api: ComputeApi, zone: string, { id, cluster }: NodeLaunch): Promise<void> {
    const name = machineName(id);
    const instance = await api.find('GET', `zones/${zone}/instances/${name}`);
    if (instance === null) throw new ProviderError('unavailable', `Google Cloud: ${name} is on its way out`);
    const marks = marksOfInstance(instance);
    if (marks.id === id && marks.cluster === cluster) return;
    throw new ProviderError(
      'refused',
      `Google Cloud: there is an instance ${name} in ${zone} that is not of cluster ${cluster}`,
    );
  }

  async #join(api: ComputeApi, launch: NodeLaunch, { groups }: GcpPoolSpec): Promise<void> {
    const fitting = groupsFor(
      launch,
      groups.map((group) => ({ ...group, pool: launch.pool })),
    );
    const { instanceType, capacityType } = launch.offering;
    const zone = zoneAsked(launch);
    const none = `pool ${launch.pool} has no group with ${instanceType} ${capacityType} in zone ${zone}`;
    let last: unknown = new ProviderError('unknown-offering', none);
    // It may be in a later one already: the first ones had none, and the answer was lost.
    if (fitting.length > 1 && (await this.#find(launch.id)).length > 0) return;
    const { clock } = this.#ports;
    for (const group of fitting) {
      try {
        await joinGroup(api, group, launch, this.#attempt(launch.id), {
          untilMs: clock.nowMs() + this.#pace.acceptWithinMs,
          everyMs: this.#pace.operationEveryMs,
          nowMs: () => clock.nowMs(),
          wait: (delayMs) => later(clock, delayMs),
        });
        return;
      } catch (error) {
        last = error;
        if (!(error instanceof ProviderError && error.code === 'stock-out')) throw error;
      }
    }
    throw last;
  }

  #attempt(id: string): string {
    return `${this.#settings.cluster} ${id} ${this.#attempts.get(id) ?? 0}`;
  }

  /** Zones of a region, beginning with one that depends on the id: asking again begins with the same one. */
  async #zones(api: ComputeApi, region: string, id: string): Promise<string[]> {
    const found = await api.find('GET', `regions/${region}`);
    const zones = (Array.isArray(found?.zones) ? found.zones : [])
      .flatMap((one) => /[^/]+$/.exec(String(one)) ?? [])
      .sort();
    const first = zones.length === 0 ? 0 : Number.parseInt(uuidOf(id).slice(0, 8), 16) % zones.length;
    return [...zones.slice(first), ...zones.slice(0, first)];
  }

  /** The cloud's names of the machine with the id. */
  async #find(id: string): Promise<string[]> {
    return (await this.list()).flatMap((node) => (node.id === id && node.providerId !== null ? [node.providerId] : []));
  }

  /** Ends a machine that carries the cluster's mark; any other one is none of its business. */
  async #end(providerId: string): Promise<void> {
    const { project, zone, name } = partsOfProviderId(providerId) ?? {};
    const known = this.#projects.all().find(({ api }) => api.project === project);
    if (!known || zone === undefined || name === undefined) return;
    const group = await this.#groupOf(known, zone, name);
    if (group !== null) {
      this.#losses.ended(providerId);
      return leaveGroup(known.api, group, name);
    }
    const path = `zones/${zone}/instances/${name}`;
    const instance = await known.api.find('GET', path);
    if (instance === null || !isOf(instance, this.#settings.cluster)) return;
    this.#losses.ended(providerId);
    try {
      await known.api.ask('DELETE', path, { requestId: uuidOf(`delete ${providerId}`) });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async #groupOf(
    { api, groups }: { api: ComputeApi; groups: readonly Group[] },
    zone: string,
    name: string,
  ): Promise<Group | null> {
    for (const group of groups) {
      if (group.zone !== zone) continue;
      const { project } = api;
      const { cluster } = this.#settings;
      const members = (await membersOf(api, group)).map((managed) =>
        observeMember(managed, group, { project, cluster }),
      );
      const providerId = providerIdOf(project, zone, name);
      if (members.some((node) => node.providerId === providerId && node.cluster === cluster)) return group;
    }
    return null;
  }

  /** What has stopped is deleted: its disk costs. Only by those who watch, so that a list alone changes nothing. */
  async #listAndTidy(): Promise<NodeObservation[]> {
    const nodes = await this.list();
    for (const providerId of this.#losses.leftovers(nodes)) {
      this.#end(providerId).catch((error: unknown) => {
        this.#ports.log(`${providerId} has stopped and could not be deleted: ${String(error)}`);
      });
    }
    return nodes;
  }

  /** Machines that were preempted lately, by the operations that did it. */
  async #preempted(): Promise<Set<string>> {
    const taken = new Set<string>();
    for (const { api } of this.#projects.all()) {
      for (const target of await api.targets('operationType="compute.instances.preempted"')) {
        const [, zone = '', name = ''] = /\/zones\/([^/]+)\/instances\/([^/]+)$/.exec(target) ?? [];
        taken.add(providerIdOf(api.project, zone, name));
      }
    }
    return taken;
  }
}
