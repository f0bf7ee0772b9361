import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A key with a certificate that it has signed itself, as PEM. */
export interface ServingCertificate {
  readonly key: string;
  readonly certificate: string;
  readonly notAfterMs: number;
}

const dayMs = 86_400_000;
/** Clocks of a cluster may differ. */
const backdatedMs = 3_600_000;

/**
 * A certificate (X.509 v3, RFC 5280) for a server of these DNS names, with a new P-256 key: who trusts it trusts this key and
 * no other.
 */
export function newServingCertificate(names: readonly string[], nowMs: number, days: number): ServingCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const notAfterMs = nowMs + days * dayMs;
  const subject = sequence(set(sequence(objectId(2, 5, 4, 3), tagged(0x0c, Buffer.from('ebb external metrics')))));
  const signedWith = sequence(objectId(1, 2, 840, 10045, 4, 3, 2));
  const serial = randomBytes(16);
  // Positive, and without a leading zero.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.of(2))),
    tagged(0x02, serial),
    signedWith,
    subject,
    sequence(time(nowMs - backdatedMs), time(notAfterMs)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(
      0xa3,
      sequence(
        // keyUsage, critical: digitalSignature.
        extension(objectId(2, 5, 29, 15), Buffer.of(0x03, 0x02, 0x07, 0x80), true),
        // extendedKeyUsage: serverAuth.
        extension(objectId(2, 5, 29, 37), sequence(objectId(1, 3, 6, 1, 5, 5, 7, 3, 1))),
        // subjectAltName.
        extension(objectId(2, 5, 29, 17), sequence(...names.map((name) => tagged(0x82, Buffer.from(name, 'ascii'))))),
      ),
    ),
  );
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const signature = sign('sha256', body, createPrivateKey(key));
  const whole = sequence(body, signedWith, tagged(0x03, Buffer.concat([Buffer.of(0), signature])));
  return { key, certificate: pem(whole), notAfterMs };
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function extension(id: Buffer, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [tagged(0x01, Buffer.of(0xff))] : [];
  return sequence(id, ...critical, tagged(0x04, value));
}

/** UTCTime, which lasts until 2049. */
function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

function objectId(first: number, second: number, ...rest: readonly number[]): Buffer {
  const bytes = [first * 40 + second, ...rest.flatMap(base128)];
  return tagged(0x06, Buffer.from(bytes));
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift((left % 128) + 128);
  return bytes;
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function set(...parts: readonly Buffer[]): Buffer {
  return tagged(0x31, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}
