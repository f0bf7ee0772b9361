import { isObject } from '../client/values.ts';

/** Written by the server with every change, whoever made it. */
const serverFields = new Set(['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp']);

/** Paths of what differs between two states of an object, such as `spec.replicas`; the status is left out. */
export function differences(before: unknown, after: unknown): string[] {
  return walk(before, after, '', true);
}

function walk(before: unknown, after: unknown, path: string, isTop: boolean): string[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].sort().flatMap((name) => {
      if ((isTop && name === 'status') || (path === 'metadata' && serverFields.has(name))) return [];
      return walk(before[name], after[name], path === '' ? name : `${path}.${name}`, false);
    });
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((one, at) => walk(one, after[at], `${path}[${at}]`, false));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [path];
}

/** Paths of what is wanted and not found so in what is there, which may have more. */
export function missingFrom(wanted: unknown, there: unknown, path = ''): string[] {
  if (isObject(wanted)) {
    if (!isObject(there)) return [path];
    return Object.entries(wanted).flatMap(([name, value]) =>
      // What says nothing need not be there: the server leaves such a value out.
      value === false || value === undefined || value === ''
        ? there[name] === undefined || there[name] === value
          ? []
          : [`${path}.${name}`]
        : missingFrom(value, there[name], path === '' ? name : `${path}.${name}`),
    );
  }
  if (Array.isArray(wanted)) {
    if (!Array.isArray(there) || there.length !== wanted.length) return [path];
    return wanted.flatMap((one, at) => missingFrom(one, there[at], `${path}[${at}]`));
  }
  return JSON.stringify(wanted) === JSON.stringify(there) ? [] : [path];
}
