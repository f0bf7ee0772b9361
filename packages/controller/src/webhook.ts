import type { MoneyNotice } from '@ebb/engine';
import type { Log } from './log.ts';

const timeoutMs = 5_000;
/** More than so many at once are not sent: the log has them. */
const mostAtOnce = 8;

export interface Webhook {
  /** Another address from now on; null: none. */
  setUrl(url: string | null): void;
  /** Sends in the background. What goes wrong is in the log, with the host alone: an address may hold a secret. */
  send(notice: MoneyNotice): void;
  /** Breaks off what is being sent. */
  close(): void;
}

/** Tells alarms and budgets to an address: a POST of JSON, once, within five seconds, without following elsewhere. */
export function openWebhook(log: Log, limitMs: number = timeoutMs): Webhook {
  let address: URL | null = null;
  let sending = 0;
  const ended = new AbortController();
  const post = async (url: URL, notice: MoneyNotice): Promise<void> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'ebb' },
      body: JSON.stringify(notice),
      redirect: 'error',
      signal: AbortSignal.any([ended.signal, AbortSignal.timeout(limitMs)]),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`status ${response.status}`);
  };
  return {
    setUrl(url) {
      address = url === null ? null : new URL(url);
    },
    send(notice) {
      if (!address) return;
      const { host } = address;
      if (sending >= mostAtOnce) {
        log('warn', 'alarm not sent: others are still on their way', { host, type: notice.type });
        return;
      }
      sending += 1;
      post(address, notice)
        .catch((error: unknown) => {
          if (!ended.signal.aborted) log('warn', 'alarm not sent', { host, type: notice.type, error: reasonOf(error) });
        })
        .finally(() => {
          sending -= 1;
        });
    },
    close: () => ended.abort(),
  };
}

/** Messages of fetch may name the whole address; names and codes of errors do not. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if (/^status \d+$/.test(error.message)) return error.message;
  if (error.name === 'TimeoutError') return 'no answer in time';
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error.name;
}
