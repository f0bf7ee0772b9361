import type { CapacityType, NodeLaunch, NodeObservation, NodePhase, OfferingChoice } from '@ebb/core';
import { listAt, numberAt, objectAt, textAt } from '../cloud/json.ts';

/** A machine as it stands in the book. Its phase follows from these times and the clock, so that nothing is missed while Ebb is down. */
export interface BookedMachine {
  id: string;
  providerId: string;
  pool: string;
  offering: OfferingChoice;
  askedAtMs: number;
  bootingAtMs: number;
  runningAtMs: number;
  readyAtMs: number;
  /** When it is taken back; null: never. */
  takenAtMs: number | null;
  /** When it was told to end; null: it was not. */
  toldAtMs: number | null;
}

/** How long before it is taken a spot machine is warned: two minutes, as AWS does. */
export const noticeMs = 120_000;
/** Told to end until gone. */
export const endMs = 5_000;
/** Ended machines are kept so long, so that an id is never used twice. */
const keepEndedMs = 86_400_000;

/** What was saved; nothing where nothing was. Throws an Error when it is something else. */
export function readBook(saved: unknown): BookedMachine[] {
  if (saved === null || saved === undefined) return [];
  if (numberAt(saved, 'version') !== 1) throw unreadable();
  return listAt(saved, 'machines').map(readMachine);
}

const capacityTypes = ['on-demand', 'spot', 'reserved'] as const;

export function writeBook(machines: readonly BookedMachine[], nowMs: number): unknown {
  return { version: 1, machines: machines.filter((machine) => goneAtMs(machine) > nowMs - keepEndedMs) };
}

function readMachine(saved: unknown): BookedMachine {
  const text = (...path: string[]) => needed(textAt(saved, ...path));
  const time = (name: string) => needed(numberAt(saved, name));
  return {
    id: text('id'),
    providerId: text('providerId'),
    pool: text('pool'),
    offering: {
      cloud: text('offering', 'cloud'),
      region: text('offering', 'region'),
      zone: text('offering', 'zone'),
      instanceType: text('offering', 'instanceType'),
      capacityType: readCapacityType(objectAt(saved, 'offering').capacityType),
    },
    askedAtMs: time('askedAtMs'),
    bootingAtMs: time('bootingAtMs'),
    runningAtMs: time('runningAtMs'),
    readyAtMs: time('readyAtMs'),
    takenAtMs: numberAt(saved, 'takenAtMs'),
    toldAtMs: numberAt(saved, 'toldAtMs'),
  };
}

function needed<Value>(value: Value | null): Value {
  if (value === null) throw unreadable();
  return value;
}

function readCapacityType(value: unknown): CapacityType {
  return needed(capacityTypes.find((one) => one === value) ?? null);
}

const unreadable = () =>
  new Error('the book of the rehearsal cannot be read; it is damaged or was written by another version');

/** A machine's times: it exists after a tenth of its boot, is up after all of it, and takes replicas when all stages are over. */
export function bookMachine(launch: NodeLaunch, nowMs: number, takenAfterMs: number | null): BookedMachine {
  const { id, pool, offering, startStages } = launch;
  return {
    id,
    providerId: `rehearsal-${id}`,
    pool,
    offering: { ...offering, zone: offering.zone === '*' ? someZone(offering) : offering.zone },
    askedAtMs: nowMs,
    bootingAtMs: nowMs + Math.round(startStages.bootMs / 10),
    runningAtMs: nowMs + startStages.bootMs,
    readyAtMs: nowMs + startStages.totalMs,
    takenAtMs: takenAfterMs === null ? null : nowMs + takenAfterMs,
    toldAtMs: null,
  };
}

export function goneAtMs({ toldAtMs, takenAtMs }: BookedMachine): number {
  const endedAtMs = toldAtMs === null ? Number.POSITIVE_INFINITY : toldAtMs + endMs;
  return Math.min(endedAtMs, takenAtMs ?? Number.POSITIVE_INFINITY);
}

/** When something about it changes next; infinity: never. */
export function nextChangeMs(machine: BookedMachine, nowMs: number): number {
  const { bootingAtMs, runningAtMs, readyAtMs, takenAtMs, toldAtMs } = machine;
  const starts = toldAtMs === null ? [bootingAtMs, runningAtMs, readyAtMs] : [];
  const taken = takenAtMs === null ? [] : [takenAtMs - noticeMs];
  const moments = [...starts, ...taken, goneAtMs(machine)].filter((atMs) => atMs > nowMs);
  return Math.min(...moments, Number.POSITIVE_INFINITY);
}

export function observed(machine: BookedMachine, cluster: string, nowMs: number): NodeObservation {
  const { id, providerId, pool, offering, askedAtMs, readyAtMs, takenAtMs } = machine;
  const phase = phaseOf(machine, nowMs);
  const isTaken = takenAtMs !== null && nowMs >= takenAtMs && goneAtMs(machine) === takenAtMs;
  return {
    id,
    providerId,
    cluster,
    pool,
    offering,
    phase,
    askedAtMs,
    readyAtMs: readyAtMs <= nowMs && readyAtMs <= (machine.toldAtMs ?? readyAtMs) ? readyAtMs : null,
    notice: takenAtMs !== null && nowMs >= takenAtMs - noticeMs ? { kind: 'interruption', goesAtMs: takenAtMs } : null,
    message: isTaken ? 'taken back, as this rehearsal was told to do with spot machines' : '',
    failure: isTaken ? 'interrupted' : null,
  };
}

function phaseOf(machine: BookedMachine, nowMs: number): NodePhase {
  if (nowMs >= goneAtMs(machine)) return 'gone';
  if (machine.toldAtMs !== null) return 'stopping';
  if (nowMs >= machine.readyAtMs) return 'ready';
  if (nowMs >= machine.runningAtMs) return 'running';
  return nowMs >= machine.bootingAtMs ? 'booting' : 'requested';
}

/** The first zone of a region, as its cloud writes it. */
function someZone({ cloud, region }: OfferingChoice): string {
  if (cloud === 'aws') return `${region}a`;
  return cloud === 'gcp' ? `${region}-a` : `${region}-1`;
}
