import { nowUs } from './clock.ts';
import type { Exchange } from './exchange.ts';
import type { Flight } from './flight.ts';
import type { Gateway } from './gateway.ts';
import { isLoopback } from './headers.ts';
import { limits } from './limits.ts';
import { hostOf } from './routes.ts';

/** Everything under `/-/` on the gateway's own port; nothing of it is passed on to a workload. */
export function isAdminTarget(target: string): boolean {
  return target.startsWith('/-/');
}

/**
 * Answers `/-/healthz`, `/-/metrics` and `/-/queue`, to this machine only: not through a proxy, and not to a page
 * that made its own name resolve to this address. False when somebody else asks.
 */
export function answerAdmin(gateway: Gateway, exchange: Exchange): boolean {
  const { head } = exchange;
  if (!isLoopback(head.clientAddress) || head.fields['x-forwarded-for'] !== undefined) return false;
  if (!isMachineName(hostOf(head.authority))) return false;
  if (head.method !== 'GET' && head.method !== 'HEAD') {
    reply(exchange, 405, 'text/plain; charset=utf-8', 'GET and HEAD only\n');
    return true;
  }
  switch (head.target.split('?', 1)[0]) {
    case '/-/healthz':
      reply(exchange, 200, 'text/plain; charset=utf-8', 'ok\n');
      return true;
    case '/-/metrics':
      reply(exchange, 200, 'text/plain; version=0.0.4; charset=utf-8', gateway.metrics.text(gateway.allCounts()));
      return true;
    case '/-/queue':
      reply(exchange, 200, 'application/json', `${JSON.stringify(queueOf(gateway))}\n`);
      return true;
    default:
      reply(exchange, 404, 'text/plain; charset=utf-8', 'Here are /-/healthz, /-/metrics and /-/queue\n');
      return true;
  }
}

interface QueueEntry {
  id: number;
  requestId: string;
  workload: string;
  /** From 1, within its workload. */
  position: number;
  waitedMs: number;
  reason: 'no-replica' | 'no-free-slot' | 'deferred';
  method: string;
  target: string;
}

function queueOf(gateway: Gateway): { held: number; deferred: number; entries: QueueEntry[]; left: number } {
  const entries: QueueEntry[] = [];
  let held = 0;
  let deferred = 0;
  for (const workload of gateway.workloads.values()) {
    held += workload.held.size;
    deferred += workload.deferred.size;
    addEntries(entries, workload.key, workload.held, null);
    addEntries(entries, workload.key, workload.deferred, 'deferred');
  }
  return { held, deferred, entries, left: held + deferred - entries.length };
}

function addEntries(entries: QueueEntry[], workload: string, flights: Set<Flight>, reason: 'deferred' | null): void {
  const room = limits.queueEntries - entries.length;
  if (room <= 0 || flights.size === 0) return;
  const now = nowUs();
  const inOrder = [...flights].sort((a, b) => a.arrivedUs - b.arrivedUs || a.id - b.id);
  for (const [index, flight] of inOrder.slice(0, room).entries()) {
    entries.push({
      id: flight.id,
      requestId: flight.requestId,
      workload,
      position: index + 1,
      waitedMs: Math.round((now - flight.arrivedUs) / 1000),
      reason: reason ?? flight.heldReason,
      method: flight.exchange.head.method,
      target: flight.exchange.head.target.split('?', 1)[0] ?? '',
    });
  }
}

/** `localhost` or an address: names that a foreign page cannot have been served under. */
function isMachineName(host: string): boolean {
  return host === 'localhost' || host.startsWith('[') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

function reply(exchange: Exchange, status: number, contentType: string, body: string): void {
  const length = String(Buffer.byteLength(body));
  const fieldList = ['content-type', contentType, 'content-length', length, 'cache-control', 'no-store'];
  exchange.reply({ status, statusText: '', fieldList }, body);
}
