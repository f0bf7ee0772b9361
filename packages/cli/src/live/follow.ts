import type { Client } from '@ebb/client';
import type { SystemStatus } from '@ebb/documents';
import type { View } from './view.ts';

/**
 * Feeds a view from the status and the watch stream until the signal. A stream that breaks is taken up again by the
 * client; one that cannot be resumed begins with a whole status. Ends when Ebb itself has gone. With a status that was taken before, what
 * has changed since then is told too.
 */
export async function follow(
  client: Client,
  view: Pick<View, 'begin' | 'event'>,
  signal: AbortSignal,
  since?: SystemStatus,
): Promise<void> {
  view.begin(since ?? (await client.status()));
  for await (const event of client.watch({ signal })) view.event(event);
}
