import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AnswerSink, UpstreamAddress, UpstreamCall, UpstreamRequest } from '../exchange.ts';
import { limits } from '../limits.ts';

/**
 * Asks a replica for another protocol on a connection of its own. undici would break a connection whose replica says
 * no; here a refusal is an ordinary answer that the client gets to see.
 */
export function sendUpgrade(address: UpstreamAddress, request: UpstreamRequest, sink: AnswerSink): UpstreamCall {
  let over = false;
  let stage: 'connect' | 'head' | 'body' = 'connect';
  const outgoing = httpRequest({
    host: address.host,
    port: address.port,
    method: request.method,
    path: request.target,
    headers: [...request.fieldList, 'connection', 'Upgrade', 'upgrade', request.upgrade ?? ''],
    agent: false,
    setHost: false,
    maxHeaderSize: limits.answerHeadBytes,
  });
  const connecting = setTimeout(
    () => outgoing.destroy(new Error(`no connection within ${limits.connectMs} ms`)),
    limits.connectMs,
  );
  let answering: IncomingMessage | null = null;
  const fail = (error: Error): void => {
    clearTimeout(connecting);
    if (over) return;
    over = true;
    sink.onFailure({ stage, reused: false, closed: false, message: error.message });
  };
  outgoing.on('socket', (socket) => {
    socket.on('connect', () => {
      clearTimeout(connecting);
      stage = 'head';
    });
  });
  outgoing.on('error', fail);
  outgoing.on('upgrade', (answer, socket, early) => {
    if (over) {
      socket.destroy();
      return;
    }
    over = true;
    if (early.length > 0) socket.unshift(early);
    sink.onSwitch(
      { status: answer.statusCode ?? 101, statusText: answer.statusMessage ?? '', fieldList: answer.rawHeaders },
      socket,
    );
  });
  outgoing.on('response', (answer) => {
    if (over) return;
    stage = 'body';
    answering = answer;
    sink.onHead({
      status: answer.statusCode ?? 502,
      statusText: answer.statusMessage ?? '',
      fieldList: answer.rawHeaders,
    });
    answer.on('data', (chunk: Buffer) => {
      if (!over) sink.onChunk(chunk);
    });
    answer.on('error', fail);
    answer.on('end', () => {
      if (over) return;
      over = true;
      sink.onEnd(answer.rawTrailers);
    });
  });
  outgoing.end();
  return {
    pause: () => void answering?.pause(),
    resume: () => void answering?.resume(),
    abort() {
      clearTimeout(connecting);
      over = true;
      outgoing.destroy();
    },
  };
}
