import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { newServingCertificate } from './derCertificate.ts';

const host = 'ebb-external-metrics.ebb-system.svc';
const nowMs = Date.parse('2026-11-23T12:00:00Z');

it('is for its names, signed by itself, and lasts as long as it was asked to', () => {
  const { certificate, key, notAfterMs } = newServingCertificate([host, `${host}.cluster.local`], nowMs, 90);
  const read = new X509Certificate(certificate);
  expect(read.checkHost(host)).toBe(host);
  expect(read.checkHost('another.ebb-system.svc')).toBeUndefined();
  expect(read.verify(read.publicKey)).toBe(true);
  expect(read.issuer).toBe(read.subject);
  expect(read.validFromDate).toEqual(new Date('2026-11-23T11:00:00Z'));
  expect(read.validToDate).toEqual(new Date('2027-02-21T12:00:00Z'));
  expect(notAfterMs).toBe(read.validToDate.getTime());
  expect(read.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(key).toContain('PRIVATE KEY');
  const another = new X509Certificate(newServingCertificate([host], nowMs, 90).certificate);
  expect(read.verify(another.publicKey)).toBe(false);
});

it('is what a client meets that trusts it and nothing else', async () => {
  const one = newServingCertificate([host], Date.now(), 1);
  const other = newServingCertificate([host], Date.now(), 1);
  const server = createServer({ key: one.key, cert: one.certificate }, (_request, answer) => answer.end('yes'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ask = (ca: string, servername: string) =>
    new Promise<string>((resolve) => {
      const sent = request({ host: '127.0.0.1', port, ca, servername, agent: false }, (answer) => {
        answer.resume();
        resolve(String(answer.statusCode));
      });
      sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      sent.end();
    });
  try {
    expect(await ask(one.certificate, host)).toBe('200');
    expect(await ask(one.certificate, 'another.svc')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await ask(other.certificate, host)).not.toBe('200');
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
