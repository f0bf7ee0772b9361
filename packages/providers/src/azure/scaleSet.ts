import { type NodeLaunch, type NodeObservation, ProviderError } from '@ebb/core';
import type { AzurePoolSpec } from '@ebb/documents';
import { type Json, numberAt, objectAt, textAt } from '../cloud/json.ts';
import { machineName } from '../cloud/names.ts';
import type { HttpAnswer } from '../cloud/http.ts';
import type { ArmApi } from './armApi.ts';
import { isChanged } from './errors.ts';
import { observe, tagsOf, userDataOf } from './machine.ts';

/**
 * A uniform scale set gives its machines names of its own. So a launch writes the engine's id into a tag of the set in the very
 * request that makes it one larger, and the tag goes over to the machine that comes: asking twice finds the tag.
 */
export type UniformSet = AzurePoolSpec['scaleSets'][number] & { pool: string; region: string; readyTag: boolean };

/** A machine that was asked for and has no tag of its own yet. */
interface Mark {
  tag: string;
  pool: string;
  id: string;
  askedAtMs: number;
  /** Members up to this number were there before. */
  after: number;
}

interface State {
  etag: string | null;
  sku: Json;
  capacity: number;
  tags: Json;
  marks: Mark[];
  /** By their number, the oldest first. */
  members: Json[];
}

const prefix = 'ebb-asked-';
/** A resource has at most 50 tags. */
const mostMarks = 40;
const mostTries = 8;

export class ScaleSet {
  readonly #api: ArmApi;
  readonly #set: UniformSet;
  readonly #path: string;
  /** What was asked for here, until it is written onto the machines that came for it. */
  readonly #launches = new Map<string, NodeLaunch>();
  #settling: Promise<void> = Promise.resolve();

  constructor(api: ArmApi, set: UniformSet) {
    this.#api = api;
    this.#set = set;
    this.#path = `virtualMachineScaleSets/${set.name}`;
  }

  /** Makes the set one larger for the id, unless that was done before. Takes it back where the machine cannot come. */
  async launch(launch: NodeLaunch, untilMs: number): Promise<void> {
    this.#launches.set(launch.id, launch);
    const answer = await this.#change((state) => {
      const isAsked =
        state.marks.some(({ id }) => id === launch.id) || state.members.some((one) => idOf(one) === launch.id);
      if (isAsked) return null;
      if (state.marks.length >= mostMarks) {
        throw new ProviderError('throttled', `Azure: ${mostMarks} machines of ${this.#set.name} are on their way`, {
          retryAfterMs: 10_000,
        });
      }
      const after = Math.max(-1, ...state.members.map(numberOf));
      const value = JSON.stringify([launch.pool, launch.id, launch.askedAtMs, after]);
      const tags = { ...state.tags, [prefix + machineName(launch.id)]: value };
      return { tags, sku: { ...state.sku, capacity: state.capacity + 1 } };
    });
    try {
      if (answer !== null) await this.#api.finished(answer, untilMs);
    } catch (error) {
      if (error instanceof ProviderError && error.code !== 'unavailable' && error.code !== 'throttled')
        await this.end(launch.id);
      throw error;
    }
    await this.settle(launch.cluster);
  }

  /**
   * Writes tags and user data onto the machines of a cluster that came for their ids. One after the other: a machine is written as a
   * whole, so what one has written would be gone with the next one that had read it before.
   */
  settle(cluster: string): Promise<void> {
    const settled = this.#settling.then(() => this.#settle(cluster));
    this.#settling = settled.catch(() => {});
    return settled;
  }

  async #settle(cluster: string): Promise<void> {
    const state = await this.#read();
    if (state === null) return;
    const own = pairs(state).filter(([mark]) => clusterOf(mark) === cluster);
    for (const [mark, member] of own) {
      const launch = this.#launches.get(mark.id);
      const offering = offeringOf(this.#set);
      const tags = { ...objectAt(member, 'tags'), ...tagsOf({ ...mark, cluster, offering }) };
      const { instanceView: _, ...properties } = objectAt(member, 'properties');
      const body = {
        location: textAt(member, 'location'),
        tags,
        properties: launch === undefined ? properties : { ...properties, userData: userDataOf(launch) },
      };
      await this.#api.ask('PUT', `${this.#path}/virtualMachines/${textAt(member, 'instanceId')}`, { body });
      this.#launches.delete(mark.id);
    }
    // One that was asked for again may be there already.
    for (const member of state.members) this.#launches.delete(idOf(member) ?? '');
    const done = new Set([...own.map(([{ tag }]) => tag), ...stale(state)]);
    if (done.size === 0) return;
    await this.#change(({ tags }) => ({ tags: without(tags, done) }));
  }

  /** Ends the machine of the id, also one that has not come yet. */
  async end(id: string): Promise<void> {
    this.#launches.delete(id);
    const state = await this.#read();
    if (state === null) return;
    const marked = state.marks.find((mark) => mark.id === id);
    const paired = pairs(state).find(([mark]) => mark.id === id)?.[1];
    const member = state.members.find((one) => idOf(one) === id) ?? paired;
    if (member !== undefined) await this.endMember(textAt(member, 'instanceId') ?? '');
    if (marked === undefined) return;
    await this.#change(({ tags, sku, capacity, members }) => ({
      tags: without(tags, new Set([marked.tag])),
      // Smaller than what is there would end a machine that Azure chooses.
      ...(member === undefined
        ? { sku: { ...sku, capacity: Math.max(capacity - 1, members.filter(stays).length) } }
        : {}),
    }));
  }

  async endMember(instanceId: string): Promise<void> {
    await this.#api.ask('POST', `${this.#path}/delete`, { body: { instanceIds: [instanceId] } });
  }

  /** Machines of the cluster, and such as nobody marked; what has not come yet is `requested`. */
  async list(cluster: string): Promise<NodeObservation[]> {
    const state = await this.#read();
    if (state === null) return [];
    const paired = pairs(state);
    const offering = offeringOf(this.#set);
    const { readyTag } = this.#set;
    const seen = state.members.map((member): NodeObservation => {
      const mark = paired.find(([, one]) => one === member)?.[0];
      const node = observe(member, { cluster, readyTag, offering });
      if (mark === undefined) return node;
      return { ...node, id: mark.id, pool: mark.pool, cluster: clusterOf(mark), askedAtMs: mark.askedAtMs };
    });
    const there = new Set(seen.map(({ id }) => id));
    const coming = state.marks
      .filter(({ id }) => !there.has(id))
      .map((mark): NodeObservation => {
        const rest = {
          readyAtMs: null,
          notice: null,
          failure: null,
          message: `${this.#set.name} has been made larger`,
        };
        const { id, pool, askedAtMs } = mark;
        return {
          id,
          pool,
          askedAtMs,
          providerId: null,
          cluster: clusterOf(mark),
          offering,
          phase: 'requested',
          ...rest,
        };
      });
    return [...seen, ...coming].filter((node) => node.cluster === cluster);
  }

  async #read(): Promise<State | null> {
    const set = await this.#api.find(this.#path);
    if (set === null) return null;
    const members = await this.#api.list(`${this.#path}/virtualMachines`, { $expand: 'instanceView' });
    const tags = objectAt(set, 'tags');
    return {
      etag: textAt(set, 'etag'),
      sku: objectAt(set, 'sku'),
      capacity: numberAt(set, 'sku', 'capacity') ?? 0,
      tags,
      marks: marksOf(tags),
      members: members.toSorted((a, b) => numberOf(a) - numberOf(b)),
    };
  }

  /** Reads, changes and writes, again where somebody else wrote in between. Null: there is nothing to change. */
  async #change(change: (state: State) => Json | null): Promise<HttpAnswer | null> {
    for (let tries = 1; ; tries++) {
      const state = await this.#read();
      if (state === null) throw new ProviderError('refused', `Azure: there is no scale set ${this.#set.name}`);
      const body = await change(state);
      if (body === null) return null;
      try {
        const headers: Record<string, string> = state.etag === null ? {} : { 'if-match': state.etag };
        return await this.#api.ask('PATCH', this.#path, { body, headers });
      } catch (error) {
        if (!isChanged(error) || tries >= mostTries) throw error;
      }
    }
  }
}

function offeringOf({ region, zone, instanceType, capacityType }: UniformSet): NodeObservation['offering'] {
  return { cloud: 'azure', region, zone, instanceType, capacityType };
}

const idOf = (member: Json): string | null => textAt(member, 'tags', 'ebb-node');
const numberOf = (member: Json): number => Number(textAt(member, 'instanceId') ?? -1);

/** A pool is named after its cluster first. */
function clusterOf({ pool }: Pick<Mark, 'pool'>): string {
  return pool.split('/')[0] ?? '';
}

const stays = (member: Json): boolean => textAt(member, 'properties', 'provisioningState') !== 'Deleting';

function marksOf(tags: Json): Mark[] {
  const found = Object.entries(tags).flatMap(([tag, value]): Mark[] => {
    if (!tag.startsWith(prefix) || typeof value !== 'string') return [];
    try {
      const [pool, id, askedAtMs, after]: unknown[] = JSON.parse(value);
      if (typeof pool !== 'string' || typeof id !== 'string') return [];
      return [{ tag, pool, id, askedAtMs: Number(askedAtMs), after: Number(after) }];
    } catch {
      return [];
    }
  });
  return found.sort((a, b) => a.askedAtMs - b.askedAtMs || (a.id < b.id ? -1 : 1));
}

/** Which machine came for which mark: the oldest of those that were not there before. */
function pairs({ marks, members }: Pick<State, 'marks' | 'members'>): (readonly [Mark, Json])[] {
  const tagged = new Set(members.map(idOf));
  const free = members.filter((member) => idOf(member) === null);
  return marks.flatMap((mark) => {
    if (tagged.has(mark.id)) return [];
    const at = free.findIndex((member) => numberOf(member) > mark.after);
    const [member] = at < 0 ? [] : free.splice(at, 1);
    return member === undefined ? [] : [[mark, member] as const];
  });
}

/** Marks whose machine has its own tags. */
function stale({ marks, members }: Pick<State, 'marks' | 'members'>): string[] {
  const tagged = new Set(members.map(idOf));
  return marks.flatMap(({ tag, id }) => (tagged.has(id) ? [tag] : []));
}

function without(tags: Json, names: ReadonlySet<string>): Json {
  return Object.fromEntries(Object.entries(tags).filter(([name]) => !names.has(name)));
}
