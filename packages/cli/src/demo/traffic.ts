import { request } from 'node:http';
import { imageSize } from './imageSize.ts';
import type { Picture } from './pictures.ts';

/** How much larger the upscaler makes a picture, in each direction. */
export const scale = 4;
const longestWaitMs = 120_000;
const largestAnswerBytes = 64 * 1024 * 1024;

export interface Answer {
  picture: Picture;
  /** Null: the answer was right. */
  problem: string | null;
  latencyMs: number;
  width: number;
  height: number;
  bytes: number;
}

interface RawAnswer {
  status: number;
  body: Buffer;
}

function post(url: string, picture: Picture): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: 'POST',
        headers: { 'content-type': picture.contentType, 'content-length': picture.bytes.length },
        signal: AbortSignal.timeout(longestWaitMs),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > largestAnswerBytes) incoming.destroy(new Error('the answer does not end'));
        });
        incoming.on('error', reject);
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks) }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(picture.bytes);
  });
}

/** Sends one picture and checks that a PNG of four times its size comes back. Never throws. */
export async function upscale(url: string, picture: Picture): Promise<Answer> {
  const startedAt = performance.now();
  const answer = { picture, width: 0, height: 0, bytes: 0 };
  try {
    const { status, body } = await post(url, picture);
    const latencyMs = performance.now() - startedAt;
    if (status !== 200) {
      return { ...answer, latencyMs, problem: `status ${status}: ${body.toString('utf8').slice(0, 300)}` };
    }
    const size = imageSize(body);
    if (size?.type !== 'png') return { ...answer, latencyMs, problem: 'the answer is no PNG' };
    const { width, height } = size;
    const right = width === picture.width * scale && height === picture.height * scale;
    const problem = right
      ? null
      : `${picture.width}x${picture.height} became ${width}x${height}, not ${scale} times as large`;
    return { ...answer, latencyMs, width, height, bytes: body.length, problem };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { ...answer, latencyMs: performance.now() - startedAt, problem };
  }
}
