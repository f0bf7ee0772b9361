import type { EbbContext } from '../context.ts';
import { openSession } from '../session.ts';

/** A completion that takes longer than this is worse than none. */
const patienceMs = 400;

/** Names of the workloads of the Ebb of this folder (or of $EBB_DATA); empty where it does not answer in time. */
export async function workloadNames(context: EbbContext): Promise<string[]> {
  const names = openSession(context, {})
    .then(({ client }) => client.status())
    .then(({ workloads }) => workloads.map(({ name }) => name))
    .catch(() => []);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string[]>((resolve) => {
    timer = setTimeout(() => resolve([]), patienceMs);
  });
  const result = await Promise.race([names, late]);
  clearTimeout(timer);
  return result;
}
