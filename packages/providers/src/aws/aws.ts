import type { Instance } from '@aws-sdk/client-ec2';
import { type NodeEvent, type NodeLaunch, type NodeObservation, type Provider, ProviderError } from '@ebb/core';
import { type AwsPoolSpec, keyText, type NodePoolSpec } from '@ebb/documents';
import { Watching } from '../cloud/watching.ts';
import type { ProviderPorts, ProviderSettings } from '../contract.ts';
import { type AwsAccount, AwsClients } from './clients.ts';
import { instancesById, instancesNamed, instancesOf, isLive } from './describe.ts';
import { awsProblem } from './errors.ts';
import { endMember, Group, type GroupPool } from './groups.ts';
import { Knowledge } from './knowledge.ts';
import { observedInstance } from './observedInstance.ts';
import { runInstancesInput } from './runInstance.ts';
import { clusterTag, fromList, groupTag, nodeTag, poolTag } from './tags.ts';

export interface AwsOptions {
  /** How often AWS is asked while somebody listens. */
  everyMs?: number;
  /** Of every service, for tests and proxies. Default: EBB_AWS_ENDPOINT, else AWS' own. */
  endpoint?: string;
}

/** A new machine that lists do not show yet is told of all the same for this long. */
const freshMs = 60_000;
/** So many ids are remembered as over beyond the time in which AWS remembers their machines. */
const mostEnded = 10_000;
const ownEndpoint = /^(https:\/\/[^\s/?#@]+|http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?)\/?$/;

/**
 * Opens AWS in the cluster's region; nothing is asked of it yet.
 * @throws Error without a region, or when the endpoint is no https address.
 */
export async function openAws(
  settings: ProviderSettings,
  ports: ProviderPorts,
  options: AwsOptions = {},
): Promise<Provider> {
  const region = settings.region ?? (process.env.AWS_REGION || null);
  if (region === null)
    throw new Error(`cluster "${settings.cluster}" names no region of AWS; write spec.region, such as eu-central-1`);
  const endpoint = options.endpoint ?? (process.env.EBB_AWS_ENDPOINT || null);
  if (endpoint !== null && !ownEndpoint.test(endpoint))
    throw new Error(`EBB_AWS_ENDPOINT "${endpoint}" must be an https address (http only on this machine)`);
  return new Aws(settings, ports, region, new AwsClients({ region, endpoint, ports }), options.everyMs ?? 5000);
}

/** EC2 instances with the cluster's tag, one by one or as members of Auto Scaling groups, as each pool says. */
class Aws implements Provider {
  readonly name = 'aws';
  readonly #settings: ProviderSettings;
  readonly #ports: ProviderPorts;
  readonly #region: string;
  readonly #clients: AwsClients;
  readonly #watching: Watching;
  readonly #knowledge: Knowledge;
  readonly #groups = new Map<string, Group>();
  /** Launches and ends under way: a second one for the same machine waits for the first. */
  readonly #launching = new Map<string, Promise<void>>();
  readonly #terminating = new Map<string, Promise<void>>();
  /** Machines that were made a moment ago. */
  readonly #fresh = new Map<string, { account: AwsAccount; instance: Instance; untilMs: number }>();
  readonly #ended = new Set<string>();
  /** Groups that pools name and AWS does not know. */
  readonly #missing = new Set<string>();
  #closed = false;

  constructor(settings: ProviderSettings, ports: ProviderPorts, region: string, clients: AwsClients, everyMs: number) {
    this.#settings = settings;
    this.#ports = ports;
    this.#region = region;
    this.#clients = clients;
    this.#knowledge = new Knowledge(ports.clock, everyMs);
    this.#watching = new Watching({ clock: ports.clock, everyMs, list: () => this.#asked(() => this.#list()) });
  }

  launch(launch: NodeLaunch): Promise<void> {
    const under = this.#launching.get(launch.id);
    if (under) return under;
    const launching = this.#asked(() => this.#launch(launch)).finally(() => this.#launching.delete(launch.id));
    this.#launching.set(launch.id, launching);
    return launching;
  }

  terminate(node: { id: string } | { providerId: string }): Promise<void> {
    const key = JSON.stringify(node);
    const under = this.#terminating.get(key);
    if (under) return under;
    const terminating = this.#terminate(node).finally(() => this.#terminating.delete(key));
    this.#terminating.set(key, terminating);
    return terminating;
  }

  #terminate(node: { id: string } | { providerId: string }): Promise<void> {
    return this.#asked(async () => {
      for (const account of await this.#accounts()) {
        if ('id' in node) await this.#terminateById(account, node.id);
        else await this.#end(account, await instancesNamed(account, [node.providerId]));
      }
      this.#watching.ask();
    });
  }

  async list(): Promise<NodeObservation[]> {
    return (await this.#asked(() => this.#list())).filter(({ phase }) => phase !== 'gone');
  }

  watch(listener: (event: NodeEvent) => void): () => void {
    return this.#watching.watch(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watching.close();
    await this.#clients.close();
  }

  async #launch(launch: NodeLaunch): Promise<void> {
    const { cluster, pools } = this.#settings;
    if (launch.cluster !== cluster)
      throw new ProviderError('refused', `this is the provider of cluster "${cluster}", not of "${launch.cluster}"`);
    if (this.#ended.has(launch.id)) return;
    const pool = pools().find(({ key }) => keyText(key) === launch.pool);
    if (!pool) throw new ProviderError('refused', `there is no node pool "${launch.pool}"`);
    const { aws } = pool;
    if (aws === null)
      throw new ProviderError(
        'refused',
        `node pool "${launch.pool}" does not say how AWS makes its machines: spec.aws`,
      );
    const account = await this.#clients.of(pool);
    // The token of the request is AWS' own guard; it is forgotten after a while, the tag is not.
    if ((await instancesById(account, cluster, launch.id)).length > 0) return;
    if (aws.autoScalingGroup === null) await this.#run(account, launch, pool, aws);
    else await this.#group(aws.autoScalingGroup).launch(account, groupPool(pool, aws, aws.autoScalingGroup), launch);
    this.#watching.ask();
  }

  async #run(account: AwsAccount, launch: NodeLaunch, pool: NodePoolSpec, aws: AwsPoolSpec): Promise<void> {
    const userData = await this.#userData(pool, aws);
    const input = runInstancesInput(launch, aws, userData);
    try {
      const { Instances } = await account.ec2.send(new account.ec2Commands.RunInstancesCommand(input));
      const untilMs = this.#ports.clock.nowMs() + freshMs;
      for (const instance of Instances ?? [])
        if (instance.InstanceId) this.#fresh.set(instance.InstanceId, { account, instance, untilMs });
    } catch (error) {
      // The id was launched, and the pool's document has changed since: there is a machine, as it was then.
      if (!(error instanceof Error) || error.name !== 'IdempotentParameterMismatch') throw error;
    }
  }

  async #userData({ key }: NodePoolSpec, { userData, userDataSecretRef: ref }: AwsPoolSpec): Promise<string | null> {
    if (ref === null) return userData;
    const values = await this.#ports.secrets({ namespace: key.namespace, name: ref.name });
    const text = values?.[ref.key];
    if (text === undefined) {
      const missing = values === null ? 'does not exist' : `has no key "${ref.key}"`;
      throw new ProviderError('refused', `Secret "${key.namespace}/${ref.name}" with the user data ${missing}`);
    }
    return text;
  }

  async #terminateById(account: AwsAccount, id: string): Promise<void> {
    // A launch that is under way is over first, else it would outlive its own end.
    await this.#launching.get(id)?.catch(() => {});
    this.#ended.add(id);
    for (const oldest of this.#ended) if (this.#ended.size > mostEnded) this.#ended.delete(oldest);
    for (const pool of await this.#groupPools(account)) await this.#group(pool.group).terminate(account, pool, id);
    const listed = await instancesById(account, this.#settings.cluster, id);
    const fresh = [...this.#fresh.values()].flatMap(({ instance }) =>
      fromList(instance.Tags)[nodeTag] === id && !listed.some((one) => one.InstanceId === instance.InstanceId)
        ? [instance]
        : [],
    );
    await this.#end(account, [...listed, ...fresh]);
  }

  /** Only what is this cluster's: by its tag, or as a member of one of its groups. */
  async #end(account: AwsAccount, instances: readonly Instance[]): Promise<void> {
    const groups = new Set((await this.#groupPools(account)).map(({ group }) => group));
    for (const instance of instances.filter(isLive)) {
      const { InstanceId } = instance;
      const tags = fromList(instance.Tags);
      const group = tags[groupTag];
      const isOwn =
        tags[clusterTag] === undefined ? groups.has(group ?? '') : tags[clusterTag] === this.#settings.cluster;
      if (!isOwn || InstanceId === undefined) continue;
      this.#knowledge.told.add(InstanceId);
      if (group === undefined)
        await account.ec2.send(new account.ec2Commands.TerminateInstancesCommand({ InstanceIds: [InstanceId] }));
      else await endMember(account, InstanceId);
    }
  }

  async #list(): Promise<NodeObservation[]> {
    const { cluster } = this.#settings;
    const all: { account: AwsAccount; instances: Instance[] }[] = [];
    const waiting: NodeObservation[] = [];
    for (const account of await this.#accounts()) {
      const members: string[] = [];
      for (const pool of await this.#groupPools(account)) {
        const settled = await this.#group(pool.group).settle(account, pool);
        // One pool that is wrong does not hide the machines of all others.
        this.#sayOnce(pool.group, settled === null ? `there is no Auto Scaling group "${pool.group}"` : null);
        waiting.push(...(settled?.waiting ?? []));
        members.push(...(settled?.members ?? []));
      }
      const marked = await instancesOf(account, cluster);
      const names = new Set(marked.map(({ InstanceId }) => InstanceId));
      const others = members.filter((name) => !names.has(name));
      const own = (await instancesNamed(account, others)).filter(
        (one) => (fromList(one.Tags)[clusterTag] ?? cluster) === cluster,
      );
      const instances = [...marked, ...own, ...this.#stillFresh(account, names)];
      await this.#knowledge.learn(account, instances, (instance) => this.#readyOf(instance));
      all.push({ account, instances });
    }
    const instances = all.flatMap((one) => one.instances);
    this.#knowledge.keepOnly(instances);
    const owner = { cluster, region: this.#region };
    const seen = instances.map((instance) =>
      observedInstance(instance, owner, this.#knowledge.of(instance.InstanceId ?? '')),
    );
    return [...seen, ...waiting.filter(({ id }) => !seen.some((node) => node.id === id))];
  }

  #stillFresh(account: AwsAccount, listed: ReadonlySet<string | undefined>): Instance[] {
    const nowMs = this.#ports.clock.nowMs();
    for (const [id, { untilMs }] of this.#fresh) if (untilMs <= nowMs || listed.has(id)) this.#fresh.delete(id);
    return [...this.#fresh.values()].flatMap((one) => (one.account === account ? [one.instance] : []));
  }

  #readyOf(instance: Instance): AwsPoolSpec['ready'] {
    const name = fromList(instance.Tags)[poolTag];
    const pool = this.#settings.pools().find(({ key }) => keyText(key) === name);
    return pool?.aws?.ready ?? 'statusChecks';
  }

  /** Of every pool, and of those that were pools. */
  async #accounts(): Promise<AwsAccount[]> {
    const pools = this.#settings.pools().filter(({ aws }) => aws !== null);
    await Promise.all(pools.map((pool) => this.#clients.of(pool)));
    return this.#clients.all();
  }

  async #groupPools(account: AwsAccount): Promise<GroupPool[]> {
    const found = new Map<string, GroupPool>();
    for (const pool of this.#settings.pools()) {
      const group = pool.aws?.autoScalingGroup ?? null;
      if (pool.aws === null || group === null || found.has(group)) continue;
      if ((await this.#clients.of(pool)) === account) found.set(group, groupPool(pool, pool.aws, group));
    }
    return [...found.values()];
  }

  #sayOnce(group: string, problem: string | null): void {
    if (problem === null) this.#missing.delete(group);
    else if (!this.#missing.has(group)) {
      this.#missing.add(group);
      this.#ports.log(problem);
    }
  }

  #group(name: string): Group {
    const group = this.#groups.get(name) ?? new Group(this.#settings.cluster, this.#region);
    this.#groups.set(name, group);
    return group;
  }

  async #asked<Value>(question: () => Promise<Value>): Promise<Value> {
    if (this.#closed) throw new ProviderError('unavailable', 'the provider is closed');
    try {
      return await question();
    } catch (error) {
      throw awsProblem(error);
    }
  }
}

function groupPool(pool: NodePoolSpec, aws: AwsPoolSpec, group: string): GroupPool {
  return { name: keyText(pool.key), labels: pool.nodeLabels, aws, group };
}
