import type { OfferingChoice } from '@ebb/core';
import { listAt, numberAt, textAt } from '../cloud/json.ts';

/** A machine that was given out. `waking` and `sleeping` until the command has succeeded. */
export interface Assignment {
  machine: string;
  id: string;
  pool: string;
  region: string;
  stage: 'waking' | 'awake' | 'sleeping';
  askedAtMs: number;
  /** When the wake command had succeeded, and when replicas could first be placed on it. */
  wokenAtMs: number | null;
  readyAtMs: number | null;
  /** Time from the one to the other, where nothing tells. */
  expectedMs: number;
}

export interface StaticBook {
  assignments: Assignment[];
  /** Ids that are over: asked for again, they get nothing. */
  ended: { id: string; atMs: number }[];
}

/** So long is remembered that an id is over. */
const keepEndedMs = 86_400_000;
const stages = ['waking', 'awake', 'sleeping'] as const;

/** What was saved; nothing where nothing was. Throws an Error when it is something else. */
export function readBook(saved: unknown): StaticBook {
  if (saved === null || saved === undefined) return { assignments: [], ended: [] };
  if (numberAt(saved, 'version') !== 1) throw unreadable();
  return {
    assignments: listAt(saved, 'assignments').map((one) => ({
      machine: needed(textAt(one, 'machine')),
      id: needed(textAt(one, 'id')),
      pool: needed(textAt(one, 'pool')),
      region: needed(textAt(one, 'region')),
      stage: needed(stages.find((stage) => stage === textAt(one, 'stage')) ?? null),
      askedAtMs: needed(numberAt(one, 'askedAtMs')),
      wokenAtMs: numberAt(one, 'wokenAtMs'),
      readyAtMs: numberAt(one, 'readyAtMs'),
      expectedMs: needed(numberAt(one, 'expectedMs')),
    })),
    ended: listAt(saved, 'ended').map((one) => ({
      id: needed(textAt(one, 'id')),
      atMs: needed(numberAt(one, 'atMs')),
    })),
  };
}

export function writeBook({ assignments, ended }: StaticBook, nowMs: number): unknown {
  return { version: 1, assignments, ended: ended.filter(({ atMs }) => atMs > nowMs - keepEndedMs) };
}

/** The offering that stands for a machine of one's own. */
export function offeringOf(region: string, machine: { zone: string; instanceType: string }): OfferingChoice {
  const { zone, instanceType } = machine;
  return { cloud: 'on-prem', region, zone, instanceType, capacityType: 'on-demand' };
}

function needed<Value>(value: Value | null): Value {
  if (value === null) throw unreadable();
  return value;
}

const unreadable = () =>
  new Error('the book of the machines cannot be read; it is damaged or was written by another version');
