import {
  defaultSettings,
  executeInstall,
  type InstallChoice,
  installManifests,
  InstallRefusal,
  type InstallServer,
  installVersion,
  planInstall,
  readInstalled,
  refuseTakenOver,
  type Readiness,
  settingsForUpgrade,
  waitForOperator,
} from '@ebb/kubernetes';
import type { InstallFlags } from '../commands/kubernetesInstall.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { defaultTimeoutMs, inCluster, waiting } from '../kubernetesInstall/cluster.ts';
import { actionLines, actionsJson } from '../kubernetesInstall/render.ts';
import { checkName, readSettings } from '../kubernetesInstall/settings.ts';

/** Sets a cluster to what the flags say. */
export async function kubernetesInstall(context: EbbContext, flags: InstallFlags): Promise<ExitName> {
  const choice = readSettings(flags);
  return inCluster(flags, async (server, url) => {
    const { namespace = defaultSettings.namespace } = choice;
    const { version } = await readInstalled(server, namespace);
    if (version !== null && version !== installVersion && !flags.force) {
      throw new InstallRefusal(
        'version',
        `version ${version} is installed in ${namespace}, and this is ${installVersion}`,
        ['ebb kubernetes upgrade keeps what was chosen then'],
      );
    }
    return set({ context, flags, server, url, choice });
  });
}

/** Brings what is installed to this version, with the settings that it has. */
export async function kubernetesUpgrade(context: EbbContext, flags: InstallFlags): Promise<ExitName> {
  const { namespace = defaultSettings.namespace } = flags;
  // All else is read over what was chosen before.
  checkName(namespace);
  return inCluster(flags, async (server, url) => {
    const { version, inventory } = await readInstalled(server, namespace);
    if (version === null) {
      throw new InstallRefusal('absent', `no Ebb is installed in the namespace ${namespace}`, [
        'say where with --namespace, or begin with ebb kubernetes install',
      ]);
    }
    if (!inventory) {
      context.note(
        'it was not installed by this command: the settings are those of the flags, and nothing is taken away',
      );
    }
    const before = inventory ? settingsForUpgrade(inventory, installVersion) : {};
    return set({ context, flags, server, url, choice: readSettings(flags, before) });
  });
}

interface SetOptions {
  readonly context: EbbContext;
  readonly flags: InstallFlags;
  readonly server: InstallServer;
  readonly url: string;
  readonly choice: InstallChoice;
}

async function set({ context, flags, server, url, choice }: SetOptions): Promise<ExitName> {
  const { namespace = defaultSettings.namespace } = choice;
  const { dryRun = false, force = false } = flags;
  if (!force) await refuseTakenOver(server, choice);
  const manifests = installManifests(choice);
  const plan = await planInstall({ server, manifests, namespace, version: installVersion, force });
  if (!dryRun) await executeInstall({ server, plan, namespace, force, settings: choice, waiting });
  if (!flags.json) context.out(...actionLines(context, plan.actions, dryRun));
  const way = plan.from === null || plan.from === plan.to ? plan.to : `${plan.from} → ${plan.to}`;
  let readiness: Readiness | null = null;
  if (!dryRun && flags.wait !== false) {
    const onProgress = (text: string) => context.note(`waiting for the operator: ${text}`);
    const withinMs = flags.timeout ?? defaultTimeoutMs;
    readiness = await waitForOperator({ server, namespace, withinMs, waiting, onProgress });
  }
  if (flags.json) {
    const ready = readiness?.isReady ?? null;
    context.json({
      server: url,
      namespace,
      from: plan.from,
      to: plan.to,
      dryRun,
      ready,
      objects: actionsJson(plan.actions),
    });
  } else if (dryRun) context.out(`Nothing was changed: a dry run of ${way} in ${namespace} at ${url}`);
  else if (readiness?.isReady)
    context.out(`${context.colors.green(context.glyphs.check)} Ebb ${way} is ready in ${namespace}`);
  else if (!readiness) context.out(`Ebb ${way} was applied in ${namespace}; nobody has waited for it`);
  if (readiness && !readiness.isReady) {
    context.note(
      `the operator is not ready: ${readiness.text}`,
      '  everything was applied; ebb kubernetes doctor tells more',
    );
    return 'failed';
  }
  return 'ok';
}
