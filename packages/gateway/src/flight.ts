import type { Duplex } from 'node:stream';
import type { CompletionOutcome, GatewayEndpoint } from '@ebb/core';
import type { ServingSpec } from '@ebb/documents';
import { nowUs } from './clock.ts';
import { deferredField, deferredText } from './deferral.ts';
import type {
  AnswerHead,
  AnswerSink,
  ClientListener,
  Exchange,
  FieldList,
  Upstream,
  UpstreamCall,
  UpstreamFailure,
} from './exchange.ts';
import {
  answerFields,
  replicaField,
  requestFields,
  requestId,
  requestIdField,
  trailerFields,
  waitedField,
} from './headers.ts';
import { limits } from './limits.ts';
import { type GatewayProblem, problemAnswer } from './problem.ts';
import { type BodyMemory, RequestBody } from './requestBody.ts';
import { mayRetry } from './retry.ts';
import type { ServedWorkload } from './servedWorkload.ts';
import { nextTimeout, type TimeoutKind } from './timeouts.ts';

/** What a flight needs from the gateway around it. */
export interface FlightHost {
  readonly upstream: Upstream;
  readonly memory: BodyMemory;
  /** The flight no longer waits or occupies a replica. Called exactly once for each flight that was admitted. */
  settled(flight: Flight, outcome: CompletionOutcome): void;
  /** The replica did not take it: to be given to another one. */
  retry(flight: Flight): void;
  endpointFailed(replica: string, message: string): void;
  refused(flight: Flight, problem: GatewayProblem): void;
}

/**
 * One exchange on its way through the gateway: read, held, given to a replica, answered. Whatever happens to client
 * or replica, it is settled once, so that the counts in flight are exact.
 */
export class Flight implements AnswerSink, ClientListener {
  readonly id: number;
  readonly exchange: Exchange;
  readonly requestId: string;
  readonly body: RequestBody;
  readonly arrivedUs: number;
  readonly #host: FlightHost;
  state: 'reading' | 'held' | 'forwarding' | 'over' = 'reading';
  workload: ServedWorkload | null = null;
  /** The dispatcher knows it: it has to be told when it is over. */
  admitted = false;
  heldReason: 'no-replica' | 'no-free-slot' = 'no-replica';
  heldSinceUs: number | null = null;
  /** Room in memory that its body was promised for the time it waits. */
  heldBodyBytes = 0;
  /** Client's own deadline; null: none. */
  deadlineUs: number | null = null;
  /** It may wait for slack until then; null: it may not. */
  deferUntilUs: number | null = null;
  /** How long it did; `off`: the workload takes no deferrable requests. */
  deferredUs: number | 'off' | null = null;
  #replica = '';
  /** Times it was sent again after bytes of it had left. */
  #repetitions = 0;
  #waitedUs = 0;
  #sentUs = 0;
  #activityUs = 0;
  #stalled = false;
  #call: UpstreamCall | null = null;
  #timer: NodeJS.Timeout | null = null;
  #connection: Duplex | null = null;

  constructor(id: number, exchange: Exchange, host: FlightHost) {
    this.id = id;
    this.exchange = exchange;
    this.#host = host;
    this.arrivedUs = nowUs();
    this.#activityUs = this.arrivedUs;
    this.requestId = requestId(exchange.head);
    this.body = new RequestBody(exchange.body, host.memory, this);
    exchange.listener = this;
  }

  /** Time the gateway itself took until the replica's connection had the request, without the wait for a replica. */
  get addedUs(): number {
    return Math.max(0, this.#sentUs - this.arrivedUs - this.#waitedUs);
  }

  /** Bounds the silence of a client whose body has to be read before the request can go anywhere. */
  awaitBody(): void {
    this.#arm();
  }

  hold(reason: 'no-replica' | 'no-free-slot', bodyBytes: number): void {
    this.state = 'held';
    this.heldReason = reason;
    this.heldSinceUs ??= nowUs();
    this.#collect(bodyBytes);
  }

  /** Waits for slack. */
  defer(bodyBytes: number): void {
    this.state = 'held';
    this.#collect(bodyBytes);
  }

  #collect(bodyBytes: number): void {
    if (bodyBytes > 0 && !this.body.complete) this.body.collect(bodyBytes, () => {});
  }

  /** Where it was handed to last; empty: nowhere yet. */
  get replica(): string {
    return this.#replica;
  }

  /** Hands the request to a replica. */
  forward(endpoint: GatewayEndpoint, waitedUs: number, deferredUs?: number): void {
    const { head } = this.exchange;
    this.state = 'forwarding';
    if (deferredUs !== undefined) this.deferredUs = deferredUs;
    this.#replica = endpoint.replica;
    this.#waitedUs = waitedUs;
    const body = head.bodyBytes === 0 ? null : this.body.open();
    this.#sentUs = nowUs();
    this.#activityUs = this.#sentUs;
    this.#call = this.#host.upstream.send(
      { host: endpoint.host, port: endpoint.port },
      {
        method: head.method,
        target: head.target,
        fieldList: requestFields(head, this.requestId),
        body,
        upgrade: head.upgrade,
      },
      this,
    );
    this.#arm();
  }

  /** Answers with a problem, when nothing was answered yet, and is over. */
  refuse(problem: GatewayProblem, outcome: CompletionOutcome): void {
    if (this.state === 'over') return;
    this.#call?.abort();
    this.#host.refused(this, problem);
    const answer = problemAnswer({ workload: this.workload?.key, ...problem }, this.requestId);
    if (this.deferredUs !== null) answer.head.fieldList.push(deferredField, deferredText(this.deferredUs));
    // First the memory, then the answer: the exchange throws away what the client still sends.
    this.#finish(outcome, () => this.exchange.reply(answer.head, answer.body));
  }

  /** Breaks it off on both sides: at the end of a shutdown. */
  abort(): void {
    if (this.state === 'over') return;
    this.#call?.abort();
    this.#finish('failed', () => this.exchange.abort());
  }

  onInform(head: AnswerHead): void {
    this.exchange.inform({ ...head, fieldList: answerFields(head.fieldList, {}) });
  }

  onHead(head: AnswerHead): void {
    this.#activityUs = nowUs();
    try {
      this.exchange.answer({ ...head, fieldList: this.#answerFields(head) });
    } catch (error) {
      this.#call?.abort();
      this.onFailure({
        stage: 'request',
        reused: false,
        closed: false,
        message: error instanceof Error ? error.message : 'bad head',
      });
      return;
    }
    if (this.body.complete) this.body.release();
    this.#arm();
  }

  onChunk(chunk: Buffer): void {
    this.#activityUs = nowUs();
    if (this.exchange.write(chunk)) return;
    this.#stalled = true;
    this.#call?.pause();
  }

  onEnd(trailers: FieldList): void {
    this.#finish('succeeded', () => this.exchange.end(trailerFields(trailers)));
  }

  onSwitch(head: AnswerHead, connection: Duplex): void {
    if (this.exchange.head.upgrade === null) {
      connection.destroy();
      this.onFailure({
        stage: 'head',
        reused: false,
        closed: false,
        message: 'changed the protocol without being asked to',
      });
      return;
    }
    const fieldList = [...this.#answerFields(head), 'connection', 'Upgrade', 'upgrade', this.exchange.head.upgrade];
    const client = this.exchange.switchProtocol({ ...head, fieldList });
    this.#connection = connection;
    this.#activityUs = nowUs();
    for (const [from, to] of [
      [client, connection],
      [connection, client],
    ] as const) {
      from.on('data', () => {
        this.#activityUs = nowUs();
      });
      from.on('error', () => {});
      from.on('close', () => {
        // What a side sent before it closed in order still reaches the other one.
        if (from.readableEnded && !to.writableFinished) to.once('finish', () => to.destroy());
        else to.destroy();
        this.#finish('succeeded', () => {});
      });
      from.pipe(to);
    }
    this.#arm();
  }

  onFailure(failure: UpstreamFailure): void {
    if (this.state !== 'forwarding') return;
    if (failure.stage !== 'request') this.#host.endpointFailed(this.#replica, failure.message);
    if (this.exchange.answered) {
      this.#finish('failed', () => this.exchange.abort());
      return;
    }
    const sent = {
      sentAgoUs: nowUs() - this.#sentUs,
      replayable: this.body.replayable,
      repetitions: this.#repetitions,
    };
    if (mayRetry(failure, this.exchange.head, sent)) {
      this.#call = null;
      if (failure.stage !== 'connect') this.#repetitions += 1;
      this.state = 'held';
      this.heldSinceUs ??= nowUs();
      this.#host.retry(this);
      return;
    }
    this.refuse(
      {
        code: 'replica-failed',
        detail:
          failure.stage === 'connect'
            ? `No connection to replica ${this.#replica}: ${failure.message}.`
            : `Replica ${this.#replica} failed before it answered: ${failure.message}.`,
        retryAfterMs: 1000,
      },
      'failed',
    );
  }

  #answerFields(head: AnswerHead): FieldList {
    const added: Record<string, string> = {
      [replicaField]: this.#replica,
      [waitedField]: String(Math.round(this.#waitedUs / 1000)),
      [requestIdField]: this.requestId,
    };
    if (this.deferredUs !== null) added[deferredField] = deferredText(this.deferredUs);
    return answerFields(head.fieldList, added);
  }

  onActivity(): void {
    this.#activityUs = nowUs();
  }

  onClientDrain(): void {
    if (!this.#stalled) return;
    this.#stalled = false;
    this.#activityUs = nowUs();
    this.#call?.resume();
  }

  onClientGone(): void {
    this.#call?.abort();
    this.#finish('cancelled', () => {});
  }

  #finish(outcome: CompletionOutcome, answer: () => void): void {
    if (this.state === 'over') return;
    this.state = 'over';
    if (this.#timer) clearTimeout(this.#timer);
    this.body.close();
    answer();
    this.#host.settled(this, outcome);
  }

  /** Sets the timer to the earliest of the times that apply now. A held request is timed by the dispatcher. */
  #arm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const due = this.#nextTimeout();
    if (!due) return;
    const delayMs = Math.min(longestTimerMs, Math.max(1, Math.ceil((due.atUs - nowUs()) / 1000)));
    this.#timer = setTimeout(() => {
      // Bytes that moved meanwhile have put it off.
      const reached = this.#nextTimeout();
      if (reached && reached.atUs <= nowUs()) this.#timeOut(reached.kind);
      else this.#arm();
    }, delayMs);
  }

  #nextTimeout(): { atUs: number; kind: TimeoutKind } | null {
    if (this.state === 'reading') return { atUs: this.#activityUs + limits.bodySilenceMs * 1000, kind: 'idle' };
    if (this.state !== 'forwarding' || !this.workload) return null;
    return nextTimeout(this.workload.spec.serving.timeouts, {
      // The time that a request may take begins when its sender wants it served.
      arrivedUs: this.arrivedUs + (typeof this.deferredUs === 'number' ? this.deferredUs : 0),
      sentUs: this.#sentUs,
      activityUs: this.#activityUs,
      deadlineUs: this.deadlineUs,
      begun: this.#begun,
      switched: this.#connection !== null,
      bodyComplete: this.body.complete,
    });
  }

  get #begun(): boolean {
    return this.exchange.answered || this.#connection !== null;
  }

  #timeOut(kind: TimeoutKind): void {
    // Silence is the client's doing while it owes a body or does not take the answer.
    const outcome = kind === 'idle' && (!this.#begun || this.#stalled) ? 'cancelled' : 'failed';
    if (this.#connection) {
      this.#connection.destroy();
    } else if (this.exchange.answered) {
      this.#call?.abort();
      this.#finish(outcome, () => this.exchange.abort());
    } else {
      this.refuse(timeoutProblem(kind, this.#replica, this.workload?.spec.serving.timeouts), outcome);
    }
  }
}

function timeoutProblem(
  kind: TimeoutKind,
  replica: string,
  timeouts: ServingSpec['timeouts'] | undefined,
): GatewayProblem {
  switch (kind) {
    case 'response': {
      const detail = `Replica ${replica} did not begin to answer within ${timeouts?.responseMs} ms (serving.timeouts.response).`;
      return { code: 'response-timeout', detail };
    }
    case 'request': {
      const detail = `The request was not over within ${timeouts?.requestMs} ms (serving.timeouts.request).`;
      return { code: 'request-timeout', detail };
    }
    case 'deadline':
      return { code: 'deadline-passed', detail: 'The deadline that the client sent has passed.' };
    case 'idle': {
      const detail = `No byte of the request body came for ${timeouts?.idleMs ?? limits.bodySilenceMs} ms.`;
      return { code: 'body-timeout', detail };
    }
  }
}

const longestTimerMs = 2 ** 31 - 1;
