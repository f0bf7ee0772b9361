import { type AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { tlsFiles } from './index.ts';

it('certificates are trusted by their own authority, on both sides, and by no other', async () => {
  const [{ pem }, stranger] = await Promise.all([tlsFiles(), tlsFiles()]);
  const server = createServer(
    { key: pem.serverKey, cert: pem.serverCert, ca: pem.caCert, requestCert: true },
    (socket) => {
      socket.end(`${socket.authorized}`);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ask = (caCert: string) =>
    new Promise<string>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, ca: caCert, cert: pem.clientCert, key: pem.clientKey };
      const socket: TLSSocket = connect(options);
      socket.setEncoding('utf8');
      socket.on('data', (text) => resolve(String(text)));
      socket.on('error', reject);
    });
  try {
    expect(await ask(pem.caCert)).toBe('true');
    await expect(ask(stranger.pem.caCert)).rejects.toThrow();
  } finally {
    server.close();
  }
});
