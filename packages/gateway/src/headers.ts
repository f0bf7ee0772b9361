import { randomUUID } from 'node:crypto';
import { deferField } from './deferral.ts';
import type { FieldList, RequestHead } from './exchange.ts';
import { workloadField } from './routes.ts';

/** Which replica answered. */
export const replicaField = 'x-ebb-replica';
/** How long the request waited for a replica, in milliseconds. */
export const waitedField = 'x-ebb-waited-ms';
/** The client's own name for the request, or one made here; on the request to the replica and on every answer. */
export const requestIdField = 'x-request-id';

/** Fields of one connection, not of the message (RFC 9110 §7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Written anew on the way to the replica. */
const rewritten = new Set([
  deferField,
  'expect',
  'host',
  requestIdField,
  workloadField,
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/** Fields by lower-case name. Repeated ones are joined; of `host` and the like the first counts. */
export function fieldsByName(list: FieldList): Readonly<Record<string, string | undefined>> {
  const fields: Record<string, string | undefined> = Object.create(null);
  for (let index = 0; index < list.length; index += 2) {
    const name = (list[index] ?? '').toLowerCase();
    const value = list[index + 1] ?? '';
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (!single.has(name)) fields[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return fields;
}

const single = new Set([
  'host',
  'content-length',
  'content-type',
  'authorization',
  'user-agent',
  'referer',
  deferField,
  workloadField,
]);

/** Fields that the client's or replica's `Connection` names, in lower case. */
function namedInConnection(fields: FieldList): Set<string> | null {
  let names: Set<string> | null = null;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index]?.toLowerCase() !== 'connection') continue;
    names ??= new Set();
    for (const name of (fields[index + 1] ?? '').split(',')) names.add(name.trim().toLowerCase());
  }
  return names;
}

/** The client's `x-request-id` when it is short and printable, otherwise a new one. */
export function requestId(head: RequestHead): string {
  const given = head.fields[requestIdField];
  return given !== undefined && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID();
}

/**
 * Fields for the replica: end-to-end ones as they came, the connection's own left out, and where the request came
 * from. `X-Forwarded-*` of a client is believed only when it sits on this machine (a TLS terminator, for example).
 */
export function requestFields(head: RequestHead, id: string): FieldList {
  const named = namedInConnection(head.fieldList);
  const fields: FieldList = ['host', head.authority];
  for (let index = 0; index < head.fieldList.length; index += 2) {
    const name = head.fieldList[index] ?? '';
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || rewritten.has(lower)) continue;
    if (named?.has(lower) && lower !== 'content-length') continue;
    fields.push(name, head.fieldList[index + 1] ?? '');
  }
  if (/(^|,)\s*trailers\s*($|[,;])/i.test(head.fields['te'] ?? '')) fields.push('te', 'trailers');
  const trusted = isLoopback(head.clientAddress);
  const before = trusted ? head.fields['x-forwarded-for'] : undefined;
  fields.push('x-forwarded-for', before ? `${before}, ${head.clientAddress}` : head.clientAddress);
  fields.push('x-forwarded-proto', (trusted && head.fields['x-forwarded-proto']) || head.scheme);
  const host = (trusted && head.fields['x-forwarded-host']) || head.authority;
  if (host) fields.push('x-forwarded-host', host);
  fields.push(requestIdField, id);
  return fields;
}

/** Fields for the client: end-to-end ones as the replica sent them, and what the gateway adds. */
export function answerFields(fromReplica: FieldList, added: Readonly<Record<string, string>>): FieldList {
  const named = namedInConnection(fromReplica);
  const fields: FieldList = [];
  for (let index = 0; index < fromReplica.length; index += 2) {
    const name = fromReplica[index] ?? '';
    const lower = name.toLowerCase();
    // `Trailer` announces what comes after the body; trailers are passed on, so it is too.
    if ((hopByHop.has(lower) && lower !== 'trailer') || lower in added) continue;
    if (named?.has(lower) && lower !== 'content-length') continue;
    fields.push(name, fromReplica[index + 1] ?? '');
  }
  for (const [name, value] of Object.entries(added)) fields.push(name, value);
  return fields;
}

/** Trailers that may be passed on: framing, routing and authentication never come after the body (RFC 9110 §6.5.1). */
export function trailerFields(fields: FieldList): FieldList {
  const passed: FieldList = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || forbiddenTrailers.has(lower)) continue;
    passed.push(name, fields[index + 1] ?? '');
  }
  return passed;
}

const forbiddenTrailers = new Set([
  'content-length',
  'host',
  'authorization',
  'set-cookie',
  'content-encoding',
  'content-type',
]);

/** Whether an address is this machine itself. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

/** Value of a cookie, or null. */
export function cookieValue(header: string | undefined, name: string): string | null {
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return null;
}
