import { buildRouteMap } from '@stricli/core';
import type { EbbContext } from '../context.ts';
import { defineCommand } from './definition.ts';
import { jsonFlag } from './flags.ts';
import { kubernetesAdvice } from './kubernetesAdvice.ts';
import { kubernetesDevicePlugin } from './kubernetesDevicePlugin.ts';
import { kubernetesDoctor, kubernetesInstall, kubernetesUninstall, kubernetesUpgrade } from './kubernetesInstall.ts';
import { settingFlags, type SettingFlags } from './kubernetesSettings.ts';

export type ManifestsFlags = SettingFlags & { json?: boolean };

const manifests = defineCommand<ManifestsFlags, []>({
  brief: 'Print what a cluster needs for Ebb, for kubectl apply',
  description:
    'Definitions of the kinds, a service account with exactly the rights that the operator needs, its Deployment and\n' +
    'volume. Nothing is applied and no cluster is asked.',
  examples: [
    { command: 'ebb kubernetes manifests | kubectl apply --server-side -f -', does: 'install into ebb-system' },
    {
      command: 'ebb kubernetes manifests --image registry.example/ebb:0.1.0 --read-namespace shop > ebb.yaml',
      does: 'your image, and triggers may use the Secrets of the namespace shop',
    },
    { command: 'ebb kubernetes manifests --advice', does: 'an Ebb that advises, with no right to scale anything' },
  ],
  parameters: {
    flags: {
      ...settingFlags,
      json: jsonFlag,
    },
    aliases: { n: 'namespace' },
  },
  load: async () => (await import('../actions/kubernetesManifests.ts')).kubernetesManifests,
});

type Routes = 'install' | 'upgrade' | 'uninstall' | 'doctor' | 'manifests' | 'advice' | 'devicePlugin';

export const kubernetesCommand = buildRouteMap<Routes, EbbContext>({
  routes: {
    install: kubernetesInstall,
    upgrade: kubernetesUpgrade,
    uninstall: kubernetesUninstall,
    doctor: kubernetesDoctor,
    manifests,
    advice: kubernetesAdvice,
    devicePlugin: kubernetesDevicePlugin,
  },
  docs: { brief: 'Install Ebb in a Kubernetes cluster, and look after it there' },
});
