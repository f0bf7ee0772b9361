import { describe, expect, it } from 'vitest';
import { amqpAddress, managementAddress, protocolOf } from './address.ts';

describe('addresses of RabbitMQ', () => {
  it.each([
    ['amqp://h', '/'],
    ['amqp://h/', '/'],
    ['amqp://h/%2F', '/'],
    ['amqp://h/orders', 'orders'],
    ['amqp://h/a%2Fb', 'a/b'],
    ['amqp://h/a/b', 'a/b'],
    ['amqp://h/m%C3%B6', 'mö'],
  ])('%s is the virtual host %s', (host, vhost) => {
    expect(amqpAddress(host, {}).vhost).toBe(vhost);
    expect(amqpAddress(host, { vhostName: 'other' }).vhost).toBe('other');
  });

  it.each([
    ['http://h:15672', 'http://h:15672', '/'],
    ['http://h:15672/', 'http://h:15672', '/'],
    ['http://h:15672/%2F', 'http://h:15672', '/'],
    ['http://h:15672/orders', 'http://h:15672', 'orders'],
    ['https://h/rabbit/%2F', 'https://h/rabbit', '/'],
    ['https://h/rabbit/', 'https://h/rabbit', '/'],
    ['https://h/deep/er/a%2Fb', 'https://h/deep/er', 'a/b'],
  ])('%s is asked at %s for the virtual host %s', (host, root, vhost) => {
    expect(managementAddress(host, {})).toMatchObject({ root, vhost });
    expect(managementAddress(host, { vhostName: 'x y' })).toMatchObject({ root, vhost: 'x y' });
  });

  it('takes user and password from the URL, or from their own settings', () => {
    const host = 'amqp://us%40er:p%3Ass@h:5673/v';
    expect(amqpAddress(host, {})).toMatchObject({ hostname: 'h', port: 5673, username: 'us@er', password: 'p:ss' });
    expect(amqpAddress(host, { username: 'a', password: 'b' })).toMatchObject({ username: 'a', password: 'b' });
    expect(amqpAddress('amqps://[::1]', {})).toMatchObject({ hostname: '::1', port: 5671, username: undefined });
    expect(managementAddress('http://a:b@h/v', {})).toMatchObject({ root: 'http://h', username: 'a', password: 'b' });
  });

  it('finds the protocol by the scheme', () => {
    expect(protocolOf('amqps://h', 'auto')).toBe('amqp');
    expect(protocolOf('https://h', 'auto')).toBe('http');
    expect(protocolOf('anything', 'amqp')).toBe('amqp');
    expect(() => protocolOf('something://', 'auto')).toThrow('must begin with');
    expect(() => amqpAddress('http://h', {})).toThrow('amqp://');
    expect(() => managementAddress('http://h/%zz', {})).toThrow('%');
  });
});
