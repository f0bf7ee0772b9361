import { defaultSettings, executeUninstall, gatewayName, lostText, planUninstall } from '@ebb/kubernetes';
import type { UninstallFlags } from '../commands/kubernetesInstall.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { defaultTimeoutMs, inCluster, waiting } from '../kubernetesInstall/cluster.ts';
import { actionLines, actionsJson } from '../kubernetesInstall/render.ts';
import { checkName } from '../kubernetesInstall/settings.ts';

/** Takes Ebb away and leaves what it has scaled. */
export async function kubernetesUninstall(context: EbbContext, flags: UninstallFlags): Promise<ExitName> {
  const { namespace = defaultSettings.namespace, crds = false, data = false, dryRun = false, force = false } = flags;
  checkName(namespace);
  return inCluster<ExitName>(flags, async (server, url) => {
    const isAgreed = dryRun || flags.yes === true;
    const plan = await planUninstall({ server, namespace, crds, data, isAgreed, force });
    // Without waiting, the operator is ended by the loss of its rights at the latest.
    const withinMs = flags.wait === false ? 0 : (flags.timeout ?? defaultTimeoutMs);
    if (!dryRun) await executeUninstall({ server, namespace }, plan, { waiting, withinMs });
    if (flags.json) {
      const { from, lost } = plan;
      context.json({ server: url, namespace, from, dryRun, lost, objects: actionsJson(plan.actions) });
      return 'ok';
    }
    context.out(...actionLines(context, plan.actions, dryRun));
    const lost = lostText(plan.lost);
    if (lost !== '') context.out(`${lost} ${dryRun ? 'would go' : 'went'} with the definitions`);
    if (plan.removed.some(({ kind, name }) => kind === 'Service' && name === gatewayName)) {
      context.note(
        `routes that name the Service ${gatewayName} lead nowhere then: have them name your own Services first`,
      );
    }
    if (dryRun) context.out(`Nothing was changed: a dry run in ${namespace} at ${url}`);
    else
      context.out('What Ebb has scaled stays as it is. What is at zero stays there too, until somebody scales it up.');
    return 'ok';
  });
}
