import type { SourceError } from '../contract/errors.ts';
import type { Pace, TriggerSource } from '../contract/source.ts';
import type { ScalerClient } from './client.ts';
import type { Messages, ScaledObjectRef } from './contract.ts';

const firstPauseMs = 250;
const longestPauseMs = 5000;
/** While the stream says that there is nothing to do, in case that it is cut and nobody notices. KEDA's polling interval. */
const quietIntervalMs = 30_000;
/** While the scaler cannot be reached. */
const downIntervalMs = 1000;

type News = Parameters<NonNullable<TriggerSource['watch']>>[0];

/**
 * News of an external-push scaler. It pushes whether it is active, not its value: so while it is active, or has no
 * stream, the value is read at `pace`. Why a stream broke is told by the reading that follows.
 */
export function watchPush(client: ScalerClient, reference: ScaledObjectRef, news: News, pace: Pace): () => void {
  let isStopped = false;
  let round: NodeJS.Timeout | undefined;
  let slowestMs = 0;
  const planRound = () => {
    clearTimeout(round);
    if (isStopped) return;
    round = setTimeout(
      () => {
        news(null);
        planRound();
      },
      Math.max(slowestMs, pace.intervalMs),
    );
  };
  const turnTo = (intervalMs: number) => {
    slowestMs = intervalMs;
    planRound();
    news(null);
  };
  const stopActivity = keepStream<Messages['StreamIsActive']>(
    (told, ended) => client.stream('StreamIsActive', reference, told, ended),
    ({ result }) => turnTo(result ? 0 : quietIntervalMs),
    (why) => turnTo(why === null || why.code === 'unsupported' ? 0 : downIntervalMs),
  );
  // Most scalers do not have this one: they are asked for their targets with every reading anyway.
  const stopSpecs = keepStream<Messages['StreamMetricSpec']>(
    (told, ended) => client.stream('StreamMetricSpec', reference, told, ended),
    () => news(null),
    () => {},
  );
  planRound();
  return () => {
    isStopped = true;
    clearTimeout(round);
    stopActivity();
    stopSpecs();
  };
}

/** Opens a stream again whenever it ends, with longer pauses while it brings nothing; not when there is no such stream. */
function keepStream<Message>(
  open: (told: (message: Message) => void, ended: (why: SourceError | null) => void) => () => void,
  told: (message: Message) => void,
  broke: (why: SourceError | null) => void,
): () => void {
  let pauseMs = firstPauseMs;
  let timer: NodeJS.Timeout | undefined;
  let close = () => {};
  const start = () => {
    close = open(
      (message) => {
        pauseMs = firstPauseMs;
        told(message);
      },
      (why) => {
        broke(why);
        if (why?.code === 'unsupported') return;
        timer = setTimeout(start, pauseMs);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      },
    );
  };
  start();
  return () => {
    clearTimeout(timer);
    close();
  };
}
