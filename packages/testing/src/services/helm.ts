import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { programs } from './installed.ts';

/** Runs Helm to its end, with nothing of this user's own settings, and returns what it printed. */
export async function runHelm(args: readonly string[], kubeconfig?: string): Promise<string> {
  const { helm } = programs('helm');
  const home = mkdtempSync(join(tmpdir(), 'ebb-helm-'));
  const env = {
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
    KUBECONFIG: kubeconfig ?? join(home, 'none'),
  };
  try {
    return await runCommand(helm, args, { env });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
