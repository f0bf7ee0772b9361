import type { DispatchRequest } from '@ebb/core';
import { readDeadline } from './deadline.ts';
import { readDeferral } from './deferral.ts';
import type { Flight } from './flight.ts';
import { cookieValue } from './headers.ts';
import { limits } from './limits.ts';
import { isJson, type OpenAiBody, readOpenAiBody } from './openAiBody.ts';
import type { BodyMemory } from './requestBody.ts';
import { type RouteTable, workloadField } from './routes.ts';
import { bodyBytesToHold, choosesByBody, choosesByField, type ServedWorkload } from './servedWorkload.ts';

export interface AdmissionOptions {
  routes: RouteTable;
  workloads: ReadonlyMap<string, ServedWorkload>;
  memory: BodyMemory;
  /** The request is known well enough for the dispatcher. */
  arrive: (flight: Flight, request: DispatchRequest) => void;
}

/**
 * From a request's head to the dispatcher's question: finds the workload, reads the body where the route or the class
 * depends on it, and refuses what cannot be served by anybody.
 */
export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  admit(flight: Flight): void {
    const { head } = flight.exchange;
    if (head.target === '*') {
      flight.refuse({ code: 'no-route', detail: 'This gateway serves paths only.' }, 'cancelled');
      return;
    }
    const found = this.#options.routes.find(head, undefined);
    if (found.type === 'none') refuseRoute(flight, null);
    else if (found.type === 'workload') this.#toWorkload(flight, found.workload, null);
    else if (isJson(head.fields['content-type'])) this.#readBody(flight, (body) => this.#routeWith(flight, body));
    else this.#routeWith(flight, { model: null, maxTokens: null });
  }

  #routeWith(flight: Flight, body: OpenAiBody): void {
    const found = this.#options.routes.find(flight.exchange.head, body.model);
    if (found.type === 'workload') this.#toWorkload(flight, found.workload, body);
    else refuseRoute(flight, body.model);
  }

  /** Reads the whole body into memory and looks into it; refuses what is larger than may be parsed. */
  #readBody(flight: Flight, then: (body: OpenAiBody) => void): void {
    const { bodyBytes } = flight.exchange.head;
    const tooLarge = (): void => {
      const detail = `A request that is routed by its JSON body may have ${limits.parsedBodyBytes} bytes of it.`;
      flight.refuse({ code: 'body-too-large', detail }, 'cancelled');
    };
    if (bodyBytes !== null && bodyBytes > limits.parsedBodyBytes) {
      tooLarge();
      return;
    }
    if (this.#options.memory.usedBytes + (bodyBytes ?? 0) > limits.allBodiesBytes) {
      const detail = `Bodies of waiting requests already take ${this.#options.memory.usedBytes} bytes.`;
      flight.refuse({ code: 'buffer-full', detail, retryAfterMs: 1000 }, 'cancelled');
      return;
    }
    flight.awaitBody();
    flight.body.collect(limits.parsedBodyBytes, (whole) => {
      if (flight.state === 'over') return;
      const bytes = whole ? flight.body.whole() : null;
      if (bytes) then(readOpenAiBody(bytes));
      else tooLarge();
    });
  }

  #toWorkload(flight: Flight, key: string, body: OpenAiBody | null): void {
    const { head } = flight.exchange;
    const workload = this.#options.workloads.get(key);
    if (!workload) {
      refuseRoute(flight, body?.model ?? null);
      return;
    }
    flight.workload = workload;
    const deadline = readDeadline(head.fields);
    if (deadline.type === 'malformed') {
      flight.refuse({ code: 'bad-request', detail: deadline.message }, 'cancelled');
      return;
    }
    if (deadline.type === 'after') flight.deadlineUs = flight.arrivedUs + deadline.ms * 1000;
    const deferral = readDeferral(head.fields);
    if (deferral.type === 'malformed') {
      flight.refuse({ code: 'bad-request', detail: deferral.message }, 'cancelled');
      return;
    }
    if (deferral.type === 'for') {
      if (workload.spec.serving.deferrable) flight.deferUntilUs = flight.arrivedUs + deferral.ms * 1000;
      else flight.deferredUs = 'off';
    }
    if (body === null && choosesByBody(workload.spec) && isJson(head.fields['content-type'])) {
      this.#readBody(flight, (read) => this.#arrive(flight, workload, read));
    } else if (this.#readsFirst(flight)) {
      flight.awaitBody();
      flight.body.collect(limits.readFirstBytes, () => this.#arrive(flight, workload, body));
    } else this.#arrive(flight, workload, body);
  }

  /** Whether the body is small enough to be read before anything else; never one the client waits to be asked for. */
  #readsFirst({ exchange: { head }, body }: Flight): boolean {
    const { bodyBytes, fields } = head;
    if (bodyBytes === null || bodyBytes === 0 || body.complete || fields['expect'] !== undefined) return false;
    return bodyBytes <= limits.readFirstBytes && this.#options.memory.usedBytes + bodyBytes <= limits.allBodiesBytes;
  }

  #arrive(flight: Flight, workload: ServedWorkload, body: OpenAiBody | null): void {
    const { head } = flight.exchange;
    const { memory, arrive } = this.#options;
    const inMemory = flight.body.heldBytes;
    const isDeferrable = flight.deferUntilUs !== null;
    flight.heldBodyBytes = inMemory || bodyBytesToHold(workload, head.bodyBytes, memory.usedBytes, isDeferrable);
    arrive(flight, {
      id: flight.id,
      workload: workload.key,
      bodyBytes: flight.body.complete ? inMemory : head.bodyBytes,
      maxTokens: body?.maxTokens ?? null,
      model: body?.model ?? null,
      headers: choosesByField(workload.spec) ? head.fields : noFields,
      deadlineUs: flight.deadlineUs,
      bufferedBytes: flight.heldBodyBytes,
      affinityKey: affinityKey(workload, head.fields),
      deferUntilUs: flight.deferUntilUs,
    });
  }
}

const noFields = {};

function affinityKey({ spec }: ServedWorkload, fields: Readonly<Record<string, string | undefined>>): string | null {
  const { affinity } = spec.serving;
  if (affinity === null) return null;
  if ('header' in affinity) return fields[affinity.header.toLowerCase()] ?? null;
  return cookieValue(fields['cookie'], affinity.cookie);
}

/** Says how to get on, and nothing of what else is served here. */
function refuseRoute(flight: Flight, model: string | null): void {
  const { method, target, fields } = flight.exchange.head;
  const named = fields[workloadField];
  if (named !== undefined) {
    const detail = `No workload is named "${named.slice(0, 100)}". ${workloadField} takes name or namespace/name.`;
    flight.refuse({ code: 'unknown-workload', detail }, 'cancelled');
    return;
  }
  const request = `${method} ${target.slice(0, 200)}${model ? ` with model "${model.slice(0, 100)}"` : ''}`;
  const hint = `Add a route to the workload, or name it with the header ${workloadField}: [namespace/]name.`;
  flight.refuse({ code: 'no-route', detail: `No route matches ${request}. ${hint}` }, 'cancelled');
}
