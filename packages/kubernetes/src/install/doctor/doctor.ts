import type { InstallServer } from '../server.ts';
import { readFacts } from './facts.ts';
import { checkInstallation } from './installation.ts';
import { checkParts } from './parts.ts';
import { checkSurroundings } from './surroundings.ts';

/** One thing that was looked at. */
export interface ClusterCheck {
  readonly name: string;
  /** `bad` stands in the way, `hint` is worth knowing. */
  readonly state: 'ok' | 'hint' | 'bad';
  readonly found: string;
  /** What to do, or what it means. */
  readonly hint: string | null;
}

/** What of a cluster is as Ebb needs it, and what is not. Reads only. Throws where the API server does not answer. */
export async function diagnose(
  server: InstallServer,
  options: { url: string; namespace: string; version: string; nowMs: number },
): Promise<ClusterCheck[]> {
  const facts = await readFacts(server, options);
  return [...checkInstallation(facts), checkParts(facts), ...checkSurroundings(facts)];
}
