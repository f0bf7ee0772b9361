// Manifests, Helm chart and the page of permissions, from the one description that packages/kubernetes has.
import { installFiles } from '../../packages/kubernetes/dist/index.js';

export const generatedFiles = installFiles;
