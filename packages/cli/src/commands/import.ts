import { buildRouteMap } from '@stricli/core';
import type { EbbContext } from '../context.ts';
import { importClusterAutoscaler, importKarpenter } from './importNodes.ts';
import { importKeda } from './importKeda.ts';
import { importKubernetes } from './importKubernetes.ts';

export const importCommand = buildRouteMap<'keda' | 'kubernetes' | 'karpenter' | 'cluster-autoscaler', EbbContext>({
  routes: {
    keda: importKeda,
    kubernetes: importKubernetes,
    karpenter: importKarpenter,
    'cluster-autoscaler': importClusterAutoscaler,
  },
  docs: { brief: 'Say how much of your files for another system works here' },
});
