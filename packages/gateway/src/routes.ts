import type { RouteSpec } from '@ebb/documents';
import type { RequestHead } from './exchange.ts';

/** Names the workload directly, `name` or `namespace/name`; works for every workload, with or without routes. */
export const workloadField = 'x-ebb-workload';

const longestHost = 262;

interface Route {
  workload: string;
  fields: [name: string, value: string][];
  model: string | null;
}

export type RouteResult =
  | { type: 'workload'; workload: string }
  /** Several could be meant: ask again with the body's `model`, null where it has none. */
  | { type: 'model-needed' }
  | { type: 'none' };

/**
 * Finds the workload of a request. The most specific route wins: exact host before `*.host` (longer first) before no
 * host, then the longest path prefix on segment boundaries, then the most fields, then one with a `model`; among
 * equals the first workload by name, so that the answer never depends on the order of arrival.
 */
export class RouteTable {
  /** Host → path prefix → routes, best first. Host `''`: any. */
  readonly #hosts = new Map<string, Map<string, Route[]>>();
  readonly #specs = new Map<string, RouteSpec[]>();
  /** `namespace/name` → keys, of every workload. */
  readonly #names = new Map<string, string>();
  /** Nothing longer needs to be looked up, whatever a client sends. */
  #longestPath = 0;

  set(workload: string, specs: RouteSpec[]): void {
    const before = this.#specs.get(workload);
    if (before && JSON.stringify(before) === JSON.stringify(specs)) return;
    this.remove(workload);
    this.#specs.set(workload, specs);
    this.#names.set(shortName(workload), workload);
    for (const spec of specs) {
      const paths = getOrMake(this.#hosts, (spec.host ?? '').toLowerCase(), () => new Map<string, Route[]>());
      const routes = getOrMake(paths, trimSlash(spec.pathPrefix ?? ''), () => []);
      const fields = Object.entries(spec.headers).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
      insert(routes, { workload, fields, model: spec.model });
      this.#longestPath = Math.max(this.#longestPath, trimSlash(spec.pathPrefix ?? '').length);
    }
  }

  remove(workload: string): void {
    if (!this.#specs.delete(workload)) return;
    if (this.#names.get(shortName(workload)) === workload) this.#names.delete(shortName(workload));
    for (const [host, paths] of this.#hosts) {
      for (const [path, routes] of paths) {
        const rest = routes.filter((route) => route.workload !== workload);
        if (rest.length === routes.length) continue;
        if (rest.length > 0) paths.set(path, rest);
        else paths.delete(path);
      }
      if (paths.size === 0) this.#hosts.delete(host);
    }
  }

  /** `model`: undefined while the body was not looked at, null when it names none. */
  find(head: Pick<RequestHead, 'target' | 'authority' | 'fields'>, model: string | null | undefined): RouteResult {
    const named = head.fields[workloadField];
    if (named !== undefined) return this.#byName(named);
    const path = pathOf(head.target);
    for (const host of hostCandidates(head.authority)) {
      const paths = this.#hosts.get(host);
      if (!paths) continue;
      for (const prefix of pathCandidates(path, this.#longestPath)) {
        for (const route of paths.get(prefix) ?? []) {
          if (!route.fields.every(([name, value]) => head.fields[name] === value)) continue;
          if (route.model === null || route.model === model) return { type: 'workload', workload: route.workload };
          if (model === undefined) return { type: 'model-needed' };
        }
      }
    }
    return { type: 'none' };
  }

  #byName(named: string): RouteResult {
    const name = named.trim();
    const parts = name.split('/');
    const workload =
      parts.length === 3 && this.#specs.has(name)
        ? name
        : this.#names.get(parts.length === 1 ? `default/${name}` : name);
    return workload === undefined ? { type: 'none' } : { type: 'workload', workload };
  }
}

/** Keeps the best first. */
function insert(routes: Route[], route: Route): void {
  const index = routes.findIndex((other) => bySpecificity(route, other) < 0);
  routes.splice(index < 0 ? routes.length : index, 0, route);
}

function bySpecificity(a: Route, b: Route): number {
  if (a.fields.length !== b.fields.length) return b.fields.length - a.fields.length;
  if ((a.model === null) !== (b.model === null)) return a.model === null ? 1 : -1;
  return a.workload < b.workload ? -1 : a.workload > b.workload ? 1 : 0;
}

/** `cluster/namespace/name` → `namespace/name`. */
function shortName(workload: string): string {
  return workload.slice(workload.indexOf('/') + 1);
}

function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}

function trimSlash(path: string): string {
  return path.replace(/\/+$/, '');
}

/** The path itself, then each prefix that ends before a slash, down to the empty one; none longer than `longest`. */
function* pathCandidates(path: string, longest: number): Generator<string> {
  if (path.length <= longest) yield path;
  for (let end = path.lastIndexOf('/', longest); end >= 0; end = end === 0 ? -1 : path.lastIndexOf('/', end - 1)) {
    yield path.slice(0, end);
  }
}

/** The host itself, `*.` and each of its parent domains, then any. Without port and final dot, in lower case. */
function* hostCandidates(authority: string): Generator<string> {
  const host = authority.length > longestHost ? '' : hostOf(authority);
  if (host !== '') yield host;
  if (!host.startsWith('[')) {
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) yield `*${host.slice(dot)}`;
  }
  yield '';
}

/** Host name of an authority: lower case, without port and final dot. */
export function hostOf(authority: string): string {
  const host = authority.startsWith('[')
    ? authority.slice(0, authority.indexOf(']') + 1)
    : (authority.split(':', 1)[0] ?? '');
  return host.toLowerCase().replace(/\.$/, '');
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
