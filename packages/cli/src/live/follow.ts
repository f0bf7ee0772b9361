import type { Client } from '@ebb/client';
import type { View } from './view.ts';

/**
 * Feeds a view from the status and the watch stream until the signal. A stream that breaks is taken up again by the
 * client; one that cannot be resumed begins with a whole status. Ends when Ebb itself has gone.
 */
export async function follow(client: Client, view: Pick<View, 'begin' | 'event'>, signal: AbortSignal): Promise<void> {
  view.begin(await client.status());
  for await (const event of client.watch({ signal })) view.event(event);
}
