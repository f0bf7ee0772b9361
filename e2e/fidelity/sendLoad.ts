import { Agent, request } from 'node:http';
import type { Load, LoadRequest } from './load.ts';

export interface SentLoad {
  /** From sending until the service began, in the order of the load. */
  waitsMs: number[];
  /** Median of what a slot was taken for beyond the service. */
  overheadMs: number;
  mostLateMs: number;
}

interface Answer {
  waitMs: number;
  overheadMs: number;
  lateMs: number;
}

const nowUs = () => Number(process.hrtime.bigint() / 1000n);

/** Sends every request at its moment, whether the earlier ones are answered or not. Throws where one is not served. */
export async function sendLoad(url: string, { requests }: Load): Promise<SentLoad> {
  const agent = new Agent({ keepAlive: true });
  const beganUs = nowUs();
  try {
    const answers = await Promise.all(requests.map((one) => send(url, agent, one, beganUs)));
    const overheads = answers.map(({ overheadMs }) => overheadMs).sort((a, b) => a - b);
    return {
      waitsMs: answers.map(({ waitMs }) => waitMs),
      overheadMs: overheads[Math.floor(overheads.length / 2)] ?? 0,
      mostLateMs: Math.max(...answers.map(({ lateMs }) => lateMs)),
    };
  } finally {
    agent.destroy();
  }
}

function send(url: string, agent: Agent, { atMs, serviceMs }: LoadRequest, beganUs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const dueUs = beganUs + atMs * 1000;
    setTimeout(
      () => {
        const sentUs = nowUs();
        const sent = request(`${url}?ms=${serviceMs}`, { agent }, (response) => {
          const headUs = nowUs();
          response.resume();
          const servedFromUs = Number(response.headers['x-began-us']);
          if (response.statusCode !== 200 || !Number.isFinite(servedFromUs)) {
            reject(new Error(`${url} answered ${response.statusCode} to the request of ${atMs} ms`));
            return;
          }
          resolve({
            waitMs: (servedFromUs - sentUs) / 1000,
            overheadMs: (headUs - servedFromUs) / 1000 - serviceMs,
            lateMs: (sentUs - dueUs) / 1000,
          });
        });
        sent.on('error', reject).end();
      },
      Math.max(0, (dueUs - nowUs()) / 1000),
    );
  });
}
