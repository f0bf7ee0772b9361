import { defaultSettings, diagnose, installVersion } from '@ebb/kubernetes';
import type { KubernetesDoctorFlags } from '../commands/kubernetesInstall.ts';
import type { EbbContext } from '../context.ts';
import { checkLines } from '../doctor/render.ts';
import type { ExitName } from '../exitCodes.ts';
import { inCluster } from '../kubernetesInstall/cluster.ts';
import { checkName } from '../kubernetesInstall/settings.ts';

/** Looks at a cluster and prints a line each; `failed` when something stands in the way. */
export async function kubernetesDoctor(context: EbbContext, flags: KubernetesDoctorFlags): Promise<ExitName> {
  const { namespace = defaultSettings.namespace } = flags;
  checkName(namespace);
  const checks = await inCluster(flags, (server, url) =>
    diagnose(server, { url, namespace, version: installVersion, nowMs: Date.now() }),
  );
  const failed = checks.some((check) => check.state === 'bad');
  if (flags.json) context.json({ ok: !failed, checks });
  else context.out(...checkLines(context, checks));
  return failed ? 'failed' : 'ok';
}
