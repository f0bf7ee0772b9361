import type { Instance } from '@aws-sdk/client-ec2';
import type { Clock, NodeNotice } from '@ebb/core';
import type { AwsPoolSpec } from '@ebb/documents';
import type { AwsAccount } from './clients.ts';
import { markedForEnd, statusesOf } from './describe.ts';
import type { InstanceKnowledge } from './observedInstance.ts';
import { fromList, readyTag } from './tags.ts';

/** Machines that have been ready are checked every so many rounds; those that are starting in each. */
const checkReadyRounds = 6;
/** A notice comes two minutes before the end. */
const noticeRounds = 2;

interface Known {
  readyAtMs: number | null;
  isImpaired: boolean;
  notice: NodeNotice | null;
}

/** What more than one list of instances tells: when a machine got ready, whether it fails, whether it will be taken. */
export class Knowledge {
  readonly #clock: Clock;
  readonly #roundMs: number;
  readonly #known = new Map<string, Known>();
  /** By AWS' id: what was told to end here. */
  readonly told = new Set<string>();
  /** When each account was last asked. */
  readonly #askedAtMs = new Map<AwsAccount, { ready: number; notices: number }>();

  constructor(clock: Clock, roundMs: number) {
    this.#clock = clock;
    this.#roundMs = roundMs;
  }

  of(instanceId: string): InstanceKnowledge {
    const { isImpaired = false, notice = null, readyAtMs = null } = this.#known.get(instanceId) ?? {};
    return { isImpaired, notice, readyAtMs, isTold: this.told.has(instanceId) };
  }

  /** Asks what is due of these instances, which are all there are. */
  async learn(
    account: AwsAccount,
    instances: readonly Instance[],
    readyOf: (instance: Instance) => AwsPoolSpec['ready'],
  ): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const lately = this.#askedAtMs.get(account) ?? {
      ready: Number.NEGATIVE_INFINITY,
      notices: Number.NEGATIVE_INFINITY,
    };
    this.#askedAtMs.set(account, lately);
    const running = instances.filter(({ State }) => State?.Name === 'running');
    const checkReady = nowMs - lately.ready >= checkReadyRounds * this.#roundMs;
    const asked: string[] = [];
    for (const instance of running) {
      const id = instance.InstanceId;
      if (id === undefined) continue;
      const known = this.#of(id);
      const rule = readyOf(instance);
      const isMarked = rule === 'running' || (rule === 'tag' && fromList(instance.Tags)[readyTag] !== undefined);
      if (isMarked) known.readyAtMs ??= nowMs;
      if ((rule === 'statusChecks' && known.readyAtMs === null) || (known.readyAtMs !== null && checkReady))
        asked.push(id);
    }
    if (asked.length > 0) await this.#learnStatuses(account, asked, running, readyOf);
    if (checkReady) lately.ready = nowMs;
    const hasSpot = running.some(({ InstanceLifecycle }) => InstanceLifecycle === 'spot');
    if (hasSpot && nowMs - lately.notices >= noticeRounds * this.#roundMs) {
      lately.notices = nowMs;
      for (const [id, goesAtMs] of await markedForEnd(account)) {
        const atMs = goesAtMs === null ? null : Math.round(goesAtMs - account.skewMs());
        this.#of(id).notice ??= { kind: 'interruption', goesAtMs: atMs };
      }
    }
  }

  /** Forgets what is no more. */
  keepOnly(instances: readonly Instance[]): void {
    const there = new Set(instances.map(({ InstanceId }) => InstanceId));
    for (const id of this.#known.keys()) if (!there.has(id)) this.#known.delete(id);
    for (const id of this.told) if (!there.has(id)) this.told.delete(id);
  }

  async #learnStatuses(
    account: AwsAccount,
    asked: readonly string[],
    running: readonly Instance[],
    readyOf: (instance: Instance) => AwsPoolSpec['ready'],
  ): Promise<void> {
    const { impaired, passed } = await statusesOf(account, asked);
    const byChecks = new Set(
      running.filter((one) => readyOf(one) === 'statusChecks').map(({ InstanceId }) => InstanceId),
    );
    for (const id of asked) {
      const known = this.#of(id);
      known.isImpaired = impaired.has(id);
      if (passed.has(id) && byChecks.has(id)) known.readyAtMs ??= this.#clock.nowMs();
    }
  }

  #of(id: string): Known {
    const known = this.#known.get(id) ?? { readyAtMs: null, isImpaired: false, notice: null };
    this.#known.set(id, known);
    return known;
  }
}
