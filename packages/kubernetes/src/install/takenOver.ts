import { modeAnnotation, takenOverAnnotation } from '../advice/mode.ts';
import { isStatus } from '../client/client.ts';
import { textAt } from '../client/values.ts';
import type { InstallChoice } from '../manifests/install.ts';
import { defaultSettings, isAdviceOnly } from '../manifests/settings.ts';
import { InstallRefusal } from './refusal.ts';
import type { InstallServer } from './server.ts';

const kinds = [
  { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', word: 'scaledobject' },
  { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledJob', word: 'scaledjob' },
  { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', word: 'hpa' },
];
const mostNamed = 5;

/**
 * Throws where the operator is to lose the right to scale, and there are objects that it was put in charge of: nobody would
 * scale those. What may not be listed is not looked at.
 */
export async function refuseTakenOver(server: InstallServer, choice: InstallChoice): Promise<void> {
  if (!isAdviceOnly({ ...defaultSettings, ...choice })) return;
  const found: string[] = [];
  const namespaces = choice.watchNamespace ? choice.watchNamespace.split(',') : [null];
  for (const { word, namespace: at, ...of } of namespaces.flatMap((namespace) =>
    kinds.map((one) => ({ ...one, namespace })),
  )) {
    try {
      for (const one of (await server.list(of, { namespace: at })) ?? []) {
        const annotation = (name: string) => textAt(one, 'metadata', 'annotations', name);
        if (annotation(takenOverAnnotation) === null || annotation(modeAnnotation) !== 'control') continue;
        const [namespace, name] = [textAt(one, 'metadata', 'namespace'), textAt(one, 'metadata', 'name')];
        found.push(`ebb give-back ${word}/${name ?? ''} --namespace ${namespace ?? ''}`);
      }
    } catch (error) {
      if (!isStatus(error, 403)) throw error;
    }
  }
  if (found.length === 0) return;
  const more = found.length > mostNamed ? [`and ${found.length - mostNamed} more`] : [];
  throw new InstallRefusal(
    'owner',
    'nobody would scale what Ebb has taken over: it would lose the right to; nothing was changed',
    [...found.slice(0, mostNamed), ...more, 'or keep the right beside advice: --take-over'],
  );
}
