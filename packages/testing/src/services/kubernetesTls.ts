import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';

/** Paths of the PEM files that a control plane and its administrator need. */
export interface ClusterCertificates {
  readonly ca: string;
  readonly caKey: string;
  readonly apiServer: string;
  readonly apiServerKey: string;
  readonly frontProxyCa: string;
  readonly frontProxy: string;
  readonly frontProxyKey: string;
  readonly admin: string;
  readonly adminKey: string;
  /** Signs and checks the tokens of service accounts. */
  readonly serviceAccountKey: string;
}

const validDays = '2';
const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];

/** Makes two authorities and all that they sign, in `folder`: about a tenth of a second. */
export async function clusterCertificates(folder: string): Promise<ClusterCertificates> {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => runCommand('openssl', args, { cwd: folder });

  const authority = (name: string) =>
    openssl(
      ...['req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', validDays],
      ...['-subj', `/CN=Ebb test ${name}`, '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    );
  const signed = async (name: string, by: string, subject: string, extensions: readonly string[]) => {
    const usage = 'extendedKeyUsage=serverAuth,clientAuth';
    writeFileSync(at(`${name}.ext`), ['basicConstraints=CA:FALSE', usage, ...extensions].join('\n'));
    await openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    await openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-days', validDays],
      ...['-extfile', `${name}.ext`, '-out', `${name}.crt`],
    );
  };
  await Promise.all([
    authority('ca'),
    authority('front-proxy-ca'),
    // Not by genpkey, whose PKCS #8 the API server does not read as a key of tokens.
    openssl('ecparam', '-genkey', '-noout', '-name', 'prime256v1', '-out', 'service-account.key'),
  ]);
  const names = 'DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.0.0.1';
  await Promise.all([
    signed('api-server', 'ca', '/CN=kube-apiserver', [`subjectAltName=${names}`]),
    signed('front-proxy', 'front-proxy-ca', '/CN=front-proxy-client', []),
    signed('admin', 'ca', '/O=system:masters/CN=ebb-test-admin', []),
  ]);
  return {
    ca: at('ca.crt'),
    caKey: at('ca.key'),
    apiServer: at('api-server.crt'),
    apiServerKey: at('api-server.key'),
    frontProxyCa: at('front-proxy-ca.crt'),
    frontProxy: at('front-proxy.crt'),
    frontProxyKey: at('front-proxy.key'),
    admin: at('admin.crt'),
    adminKey: at('admin.key'),
    serviceAccountKey: at('service-account.key'),
  };
}
