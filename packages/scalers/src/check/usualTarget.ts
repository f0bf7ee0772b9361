import { type TriggerTarget, TriggerTargetError } from '@ebb/core';
import type { TargetKeys } from '../catalogue.ts';
import type { TriggerText } from './triggerTarget.ts';

/** Names that scalers use most, tried in this order. */
const usualKeys: TargetKeys = {
  keys: ['targetValue', 'threshold', 'value', 'queryValue', 'queueLength', 'lagThreshold', 'targetQueryValue'],
};

/**
 * Target and activation value of a trigger that no definition reads, from the keys of its type, or from those that scalers
 * use most. Throws `TriggerTargetError` where there is none, or none that is a number above zero.
 */
export function usualTarget(trigger: TriggerText, rules: TargetKeys = usualKeys): TriggerTarget {
  const key = rules.keys.find((name) => Object.hasOwn(trigger.metadata, name));
  const activationTarget = numberAt(trigger, rules.activationKey ?? activationName(key ?? rules.keys[0] ?? '')) ?? 0;
  const target = key === undefined ? rules.default : numberAt(trigger, key);
  if (target === undefined) {
    const wanted = rules.keys[0] ?? '';
    const others = rules.keys.length > 1 ? ` (looked for ${rules.keys.join(', ')})` : '';
    throw new TriggerTargetError(trigger.name, wanted, `${title(trigger)}: metadata.${wanted} is missing${others}`);
  }
  if (target > 0) return { target, activationTarget };
  const at = key ?? '';
  throw new TriggerTargetError(
    trigger.name,
    at,
    `${title(trigger)}: metadata.${at} must be more than 0, found ${target}`,
  );
}

/** `lagThreshold` → `activationLagThreshold`. */
function activationName(key: string): string {
  return `activation${key.slice(0, 1).toUpperCase()}${key.slice(1)}`;
}

function numberAt(trigger: TriggerText, key: string): number | undefined {
  const text = Object.hasOwn(trigger.metadata, key) ? trigger.metadata[key] : undefined;
  if (text === undefined) return undefined;
  const value = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  const message = `${title(trigger)}: metadata.${key} must be a number, found "${text}"`;
  throw new TriggerTargetError(trigger.name, key, message);
}

/** How messages name a trigger. */
export function title({ name, type }: TriggerText): string {
  return `trigger "${name}" (${type})`;
}
