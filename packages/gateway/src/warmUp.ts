import type { AnswerSink, Upstream, UpstreamAddress } from './exchange.ts';

/**
 * Asks the gateway for its own health, through its own upstream. The first exchange of a process compiles the HTTP
 * parsers and everything around them, some 10 ms; so it is not a user's request at zero that waits for that.
 */
export function warmUp(upstream: Upstream, address: UpstreamAddress): Promise<void> {
  return new Promise((resolve) => {
    const sink: AnswerSink = {
      onInform() {},
      onHead() {},
      onChunk() {},
      onEnd: () => resolve(),
      // Whatever is wrong, users' requests will tell.
      onFailure: () => resolve(),
      onSwitch: (_head, connection) => connection.destroy(),
    };
    const fieldList = ['host', 'localhost', 'content-length', '2', 'content-type', 'application/json'];
    const request = { method: 'POST', target: '/-/healthz', fieldList, body: Buffer.from('{}'), upgrade: null };
    upstream.send(address, request, sink);
  });
}
