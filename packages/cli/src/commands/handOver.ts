import { defineCommand } from './definition.ts';
import { jsonFlag, textFlag } from './flags.ts';

export interface HandOverFlags {
  kubeconfig?: string;
  namespace?: string;
  lease?: string;
  wait?: string;
  yes?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

const parameters = {
  flags: {
    kubeconfig: textFlag('FILE', 'Cluster and user (default: $KUBECONFIG, ~/.kube/config)'),
    namespace: textFlag('NAME', "Its namespace (default: the kubeconfig's, else default)"),
    lease: textFlag('NAMESPACE/NAME', 'Lease of the operator (default: ebb-system/ebb)'),
    wait: textFlag('TIME', 'Wait for the others at most this long (default: 60s)'),
    yes: { kind: 'boolean', optional: true, withNegated: false, brief: 'Do it; left out, it is only shown' },
    dryRun: {
      kind: 'boolean',
      optional: true,
      withNegated: false,
      brief: 'Only show what would be changed (the default)',
    },
    json: jsonFlag,
  },
  aliases: { n: 'namespace' },
  positional: {
    kind: 'tuple',
    parameters: [
      { parse: String, placeholder: '[KIND/]NAME', brief: 'A ScaledObject, an HPA (hpa/NAME), or a ScaledJob' },
    ],
  },
} as const;

export const takeOver = defineCommand<HandOverFlags, [string]>({
  brief: 'Put Ebb in charge of what a ScaledObject or an HPA scales',
  description:
    'From advice to in charge, one object at a time. A ScaledObject is paused for KEDA, and Ebb begins when KEDA has taken\n' +
    'its HPA away; of a ScaledJob it makes the Jobs from then on. An HPA goes on reading its metrics, is switched off in both\n' +
    'directions, and keeps a copy of what it was.\n' +
    'Two are never in charge. Shows what would be done; --yes does it. Stopped in between, the same command goes on.',
  examples: [
    { command: 'ebb take-over hpa/web -n shop', does: 'what would be done' },
    { command: 'ebb take-over scaledobject/orders -n shop --yes', does: 'do it' },
  ],
  parameters,
  load: async () => (await import('../actions/handOver.ts')).takeOver,
});

export const giveBack = defineCommand<HandOverFlags, [string]>({
  brief: 'Give it back to KEDA or to its HPA, which is as it was',
  description:
    'Ebb lets go first and advises again; what was in charge before goes on when the operator has said so. The HPA has its\n' +
    'bounds and behavior as they were. Shows what would be done; --yes does it. Stopped in between, the same command goes on.',
  examples: [
    { command: 'ebb give-back hpa/web -n shop', does: 'what would be done' },
    { command: 'ebb give-back hpa/web -n shop --yes', does: 'the HPA scales again' },
  ],
  parameters,
  load: async () => (await import('../actions/handOver.ts')).giveBack,
});
