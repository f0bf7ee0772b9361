import { textAt, textsAt } from '../client/values.ts';

/** Who else an object is in the charge of, by what such programs write on it; null: nobody that is known. */
export function chargeOf(body: unknown): string | null {
  const labels = textsAt(body, 'metadata', 'labels');
  const annotations = textsAt(body, 'metadata', 'annotations');
  const release = annotations['meta.helm.sh/release-name'];
  if (release !== undefined) {
    const namespace = annotations['meta.helm.sh/release-namespace'];
    return `Helm (release ${namespace === undefined ? '' : `${namespace}/`}${release})`;
  }
  if (labels['app.kubernetes.io/managed-by'] === 'Helm') return 'Helm';
  const tracking = annotations['argocd.argoproj.io/tracking-id'];
  if (tracking !== undefined) return `Argo CD (application ${tracking.split(':')[0]})`;
  const flux = labels['kustomize.toolkit.fluxcd.io/name'];
  if (flux !== undefined) return `Flux (Kustomization ${flux})`;
  const release2 = labels['helm.toolkit.fluxcd.io/name'];
  return release2 === undefined ? null : `Flux (HelmRelease ${release2})`;
}

/** Whether an object is of an installation of Ebb. */
export function isPartOfEbb(body: unknown): boolean {
  return textAt(body, 'metadata', 'labels', 'app.kubernetes.io/part-of') === 'ebb';
}
