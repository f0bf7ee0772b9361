import { Agent, type IncomingMessage, request } from 'node:http';
import type { MetricsAddress, MetricsScraper } from '@ebb/core';

/** More than any server's page has; a page beyond it is not one. */
const mostBytes = 8 * 1024 * 1024;

/** Reads pages of metrics over HTTP, with a connection to each replica that is kept between rounds. */
export function httpMetricsScraper(): MetricsScraper {
  const agent = new Agent({ keepAlive: true, maxSockets: 2, scheduling: 'lifo' });
  return {
    scrape: (address, timeoutMs) => fetchPage(agent, address, timeoutMs),
    async close() {
      agent.destroy();
    },
  };
}

function fetchPage(agent: Agent, { host, port, path }: MetricsAddress, timeoutMs: number): Promise<string> {
  const place = `http://${host}:${port}${path}`;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const fail = (error: unknown) => reject(signal.aborted ? tooLate(place, timeoutMs) : failure(error, place));
    // Others may compress what they answer; here the way is short and the time matters.
    const headers = { accept: 'text/plain;version=0.0.4', 'accept-encoding': 'identity' };
    const asked = request({ agent, host, port, path, headers, signal }, (response) => {
      readPage(response, place).then(resolve, fail);
    });
    asked.on('error', fail);
    asked.end();
  });
}

async function readPage(response: IncomingMessage, place: string): Promise<string> {
  const { statusCode } = response;
  if (statusCode !== 200) {
    response.resume();
    throw new PageError(`${place} answered with status ${statusCode}`);
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > mostBytes) throw new PageError(`${place} answered with more than ${mostBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

class PageError extends Error {}

const tooLate = (place: string, timeoutMs: number) => new PageError(`${place} did not answer within ${timeoutMs} ms`);

function failure(error: unknown, place: string): Error {
  if (error instanceof PageError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ECONNREFUSED') return new PageError(`nobody listens at ${place}`);
  const why = error instanceof Error ? error.message : String(error);
  return new PageError(`${place} could not be read: ${why}`);
}
