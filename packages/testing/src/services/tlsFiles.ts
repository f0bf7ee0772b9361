import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { newServiceFolder } from './watchdog.ts';

/** Paths of PEM files: an authority, and a server's and a client's certificate that it has signed. */
export interface TlsFiles {
  readonly folder: string;
  readonly caCert: string;
  /** For `localhost` and 127.0.0.1. */
  readonly serverCert: string;
  readonly serverKey: string;
  /** Key and certificate in one file, as Java wants them. */
  readonly serverKeyAndCert: string;
  readonly clientCert: string;
  readonly clientKey: string;
  /** The same as text, as a trigger takes it. */
  readonly pem: {
    readonly caCert: string;
    readonly serverCert: string;
    readonly serverKey: string;
    readonly clientCert: string;
    readonly clientKey: string;
  };
}

const validDays = '2';

/**
 * Makes a new authority and certificates for both sides. Every call makes another authority, so that the files of a
 * second call are the ones that nobody trusts.
 */
export async function tlsFiles(): Promise<TlsFiles> {
  const folder = newServiceFolder('tls');
  const at = (name: string) => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];
  const openssl = (...args: string[]) => runCommand('openssl', args, { cwd: folder });

  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    validDays,
    '-subj',
    '/CN=Ebb test CA',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
  );
  const signed = async (name: string, commonName: string, extensions: readonly string[]) => {
    writeFileSync(at(`${name}.ext`), ['basicConstraints=CA:FALSE', ...extensions].join('\n'));
    await openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${commonName}`);
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-set_serial',
      serialNumber(name),
      '-days',
      validDays,
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.crt`,
    );
  };
  await Promise.all([
    signed('server', 'localhost', ['extendedKeyUsage=serverAuth', 'subjectAltName=DNS:localhost,IP:127.0.0.1']),
    signed('client', 'ebb', ['extendedKeyUsage=clientAuth']),
  ]);

  const text = (name: string) => readFileSync(at(name), 'utf8');
  writeFileSync(at('server.pem'), text('server.key') + text('server.crt'), { mode: 0o600 });
  return {
    folder,
    caCert: at('ca.crt'),
    serverCert: at('server.crt'),
    serverKey: at('server.key'),
    serverKeyAndCert: at('server.pem'),
    clientCert: at('client.crt'),
    clientKey: at('client.key'),
    pem: {
      caCert: text('ca.crt'),
      serverCert: text('server.crt'),
      serverKey: text('server.key'),
      clientCert: text('client.crt'),
      clientKey: text('client.key'),
    },
  };
}

function serialNumber(name: string): string {
  return name === 'server' ? '1' : '2';
}
