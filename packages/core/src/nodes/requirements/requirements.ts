import type { Requirement } from '../types.ts';
import { allows, anyValue, intersect, satisfiable, type ValueSet, valueSetOf } from './valueSet.ts';

/** Requirements that must all hold, as one set of allowed values for each label that they speak of. */
export type Requirements = ReadonlyMap<string, ValueSet>;
export type Labels = Readonly<Record<string, string>>;

/** All of the requirements together. Two on one label become one. */
export function requirementsOf(list: readonly Requirement[]): Requirements {
  const all = new Map<string, ValueSet>();
  for (const requirement of list) {
    const before = all.get(requirement.key) ?? anyValue;
    all.set(requirement.key, intersect(before, valueSetOf(requirement)));
  }
  return all;
}

/** What both ask. */
export function bothRequirements(a: Requirements, b: Requirements): Requirements {
  const all = new Map(a);
  for (const [key, set] of b) all.set(key, intersect(all.get(key) ?? anyValue, set));
  return all;
}

/** The first label on which nothing at all would do, or null: some node could meet them. */
export function contradiction(requirements: Requirements): string | null {
  for (const [key, set] of requirements) if (!satisfiable(set)) return key;
  return null;
}

/** The first label whose value on a node breaks the requirements, or null: the node meets them all. */
export function brokenLabel(requirements: Requirements, labels: Labels): string | null {
  for (const [key, set] of requirements) {
    if (!allows(set, Object.hasOwn(labels, key) ? labels[key] : undefined)) return key;
  }
  return null;
}

/** Whether a node with these labels meets all requirements. */
export function meets(requirements: Requirements, labels: Labels): boolean {
  return brokenLabel(requirements, labels) === null;
}
