import { SettingFault } from '../contract/parameter.ts';

/** A broker, an account and a virtual host, as AMQP clients take them. */
export interface AmqpAddress {
  protocol: 'amqp' | 'amqps';
  hostname: string;
  port: number;
  vhost: string;
  /** Undefined: none is written. */
  username: string | undefined;
  password: string | undefined;
}

export interface ManagementAddress {
  /** Where `/api` begins, without user and password. */
  root: string;
  vhost: string;
  username: string | undefined;
  password: string | undefined;
}

export interface AddressOverrides {
  vhostName?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
}

/** `auto` goes by the scheme of the URL. Throws `SettingFault`. */
export function protocolOf(host: string, protocol: 'auto' | 'amqp' | 'http'): 'amqp' | 'http' {
  if (protocol !== 'auto') return protocol;
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(host)?.[1]?.toLowerCase();
  if (scheme === 'amqp' || scheme === 'amqps') return 'amqp';
  if (scheme === 'http' || scheme === 'https') return 'http';
  throw new SettingFault('must begin with amqp://, amqps://, http:// or https://, or protocol must say which it is');
}

/** As KEDA's AMQP client reads it: the whole path, decoded, is the virtual host; none is `/`. Throws `SettingFault`. */
export function amqpAddress(host: string, { vhostName, username, password }: AddressOverrides): AmqpAddress {
  const url = parse(host);
  const protocol = url.protocol.slice(0, -1);
  if (protocol !== 'amqp' && protocol !== 'amqps') {
    throw new SettingFault('must begin with amqp:// or amqps:// for the protocol amqp');
  }
  const isGiven = Boolean(username && password);
  return {
    protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, '') || 'localhost',
    port: Number(url.port) || (protocol === 'amqp' ? 5672 : 5671),
    vhost: vhostName || decode(url.pathname.slice(1)) || '/',
    username: isGiven ? username : decode(url.username) || undefined,
    password: isGiven ? password : decode(url.password) || undefined,
  };
}

/**
 * The last part of the path is the virtual host (none is `/`), what is before it leads to the management plugin. Throws
 * `SettingFault`.
 */
export function managementAddress(
  host: string,
  { vhostName, username, password }: AddressOverrides,
): ManagementAddress {
  const url = parse(host);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new SettingFault('must begin with http:// or https:// for the protocol http');
  }
  const parts = url.pathname.split('/');
  const last = decode(parts.pop() ?? '');
  const before = parts.filter((part) => part !== '').map((part) => `/${part}`);
  const isGiven = Boolean(username && password);
  return {
    root: `${url.protocol}//${url.host}${before.join('')}`,
    vhost: vhostName || last || '/',
    username: isGiven ? username : decode(url.username) || undefined,
    password: isGiven ? password : decode(url.password) || undefined,
  };
}

function parse(host: string): URL {
  try {
    return new URL(host);
  } catch {
    throw new SettingFault('is not a URL');
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SettingFault('holds a % that is not followed by two hexadecimal digits');
  }
}
