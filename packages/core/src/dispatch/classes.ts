import type { ClassAcceptance } from '@ebb/documents';
import { assert } from './assert.ts';
import type { ClassPool } from './classPool.ts';
import type { DispatchClass, DispatchRequest } from './types.ts';

/** A set of classes that accept a request. One object for each set and configuration. */
export interface Acceptance {
  readonly key: string;
  /** Cheapest first, at least one. */
  readonly pools: readonly [ClassPool, ...ClassPool[]];
}

type Obstacle = 'model' | 'header' | 'body' | 'tokens';

interface Entry {
  readonly name: string;
  readonly accepts: ClassAcceptance | null;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly pool: ClassPool;
}

/** Which classes of a workload can serve a request (design §3a.16). */
export class ClassTable {
  readonly #entries: readonly Entry[];
  readonly #acceptances = new Map<string, Acceptance>();
  readonly #everyClass: Acceptance | null;

  /** Classes come cheapest first; `poolOf` gives where a class's endpoints are. */
  constructor(classes: readonly DispatchClass[], poolOf: (name: string) => ClassPool) {
    this.#entries = classes.map(({ name, accepts }) => ({
      name,
      accepts,
      headers: Object.entries(accepts?.headers ?? {}).map(([header, value]) => [header.toLowerCase(), value] as const),
      pool: poolOf(name),
    }));
    const isOpen = classes.length > 0 && classes.every(({ accepts }) => accepts === null);
    this.#everyClass = isOpen ? this.#acceptance('1'.repeat(classes.length)) : null;
  }

  /** The classes that accept the request; null: none does. */
  accepting(request: DispatchRequest): Acceptance | null {
    if (this.#everyClass) return this.#everyClass;
    let key = '';
    let isAccepted = false;
    for (const entry of this.#entries) {
      const accepts = obstacle(entry, request) === null;
      isAccepted ||= accepts;
      key += accepts ? '1' : '0';
    }
    return isAccepted ? this.#acceptance(key) : null;
  }

  /** Why no class accepts the request, for the one who sent it; `isTooLarge` where a smaller one would be accepted. */
  rejection(request: DispatchRequest): { isTooLarge: boolean; detail: string } {
    let isTooLarge = false;
    const details: string[] = [];
    for (const entry of this.#entries) {
      const found = obstacle(entry, request);
      if (found === null) continue;
      isTooLarge ||= found === 'body' || found === 'tokens';
      details.push(`class ${entry.name} ${obstacleText(found, entry, request)}`);
    }
    return { isTooLarge, detail: details.length > 0 ? details.join('; ') : 'it has no class' };
  }

  #acceptance(key: string): Acceptance {
    let acceptance = this.#acceptances.get(key);
    if (!acceptance) {
      const [cheapest, ...others] = this.#entries.filter((_, index) => key[index] === '1').map(({ pool }) => pool);
      assert(cheapest !== undefined, 'an acceptance has at least one class');
      acceptance = { key, pools: [cheapest, ...others] };
      this.#acceptances.set(key, acceptance);
    }
    return acceptance;
  }
}

/** What keeps a class from serving the request; sizes come last, so that they are named only if all else fits. */
function obstacle({ accepts, headers }: Entry, request: DispatchRequest): Obstacle | null {
  if (accepts === null) return null;
  if (accepts.models.length > 0 && (request.model === null || !accepts.models.includes(request.model))) return 'model';
  for (const [name, value] of headers) if (request.headers[name] !== value) return 'header';
  // A body of unknown length may turn out to be larger than the class can take.
  if (accepts.maxBodyBytes !== null && (request.bodyBytes ?? Infinity) > accepts.maxBodyBytes) return 'body';
  if (accepts.maxTokens !== null && (request.maxTokens ?? 0) > accepts.maxTokens) return 'tokens';
  return null;
}

function obstacleText(found: Obstacle, { accepts, headers }: Entry, request: DispatchRequest): string {
  switch (found) {
    case 'model':
      return `serves the models ${accepts?.models.join(', ')}, not ${request.model ?? 'a request without one'}`;
    case 'header': {
      const wanted = headers.find(([name, value]) => request.headers[name] !== value);
      return `wants the header ${wanted?.[0]}: ${wanted?.[1]}`;
    }
    case 'body':
      return `takes bodies of at most ${accepts?.maxBodyBytes} bytes, not ${request.bodyBytes ?? 'one of unknown length'}`;
    case 'tokens':
      return `gives at most ${accepts?.maxTokens} tokens, not ${request.maxTokens}`;
  }
}
