import { createServer, type RequestListener } from 'node:http';

export interface HealthServer {
  readonly url: string;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** Where a process in a pod says how it is. Rejects where the place is taken. */
export async function listenHealth(
  { host, port }: { host: string; port: number },
  listener: RequestListener,
): Promise<HealthServer> {
  const server = createServer(listener);
  server.maxHeadersCount = 100;
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    url: typeof address === 'object' && address !== null ? `http://${address.address}:${address.port}` : '',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
