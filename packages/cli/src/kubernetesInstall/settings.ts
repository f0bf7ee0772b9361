import { parseBytes } from '@ebb/documents';
import { defaultSettings, type InstallChoice } from '@ebb/kubernetes';
import type { SettingFlags } from '../commands/kubernetesSettings.ts';
import { Failure } from '../failure.ts';

/** What flags say of an installation, over what was chosen before. Throws a `Failure` (usage) that names the wrong value. */
export function readSettings(flags: SettingFlags, before: InstallChoice = {}): InstallChoice {
  const { namespace, image, storageSize, storageClass, readNamespace, networkPolicy, kinds } = flags;
  const watchNamespaces = flags.watchNamespace && namesOf(flags.watchNamespace);
  for (const name of [namespace, ...(watchNamespaces ?? []), ...(readNamespace ?? [])]) {
    if (name !== undefined) checkName(name);
  }
  if (storageSize !== undefined) checkSize(storageSize);
  if (flags.postgresSecret) checkSecret(flags.postgresSecret);
  if (image !== undefined && !/^[^\s'"]{1,512}$/.test(image)) {
    throw new Failure(
      'usage',
      `"${image}" is not a reference of an image; write one such as registry.example/ebb:0.1.0`,
    );
  }
  for (const kind of flags.scaleKind ?? []) checkScaleKind(kind);
  const annotations = readPairs('--service-account-annotation', flags.serviceAccountAnnotation);
  const labels = readPairs('--pod-label', flags.podLabel);
  for (const [name, value] of Object.entries(labels ?? {})) checkLabel(name, value);
  const chosen: InstallChoice = {
    ...before,
    ...(namespace === undefined ? {} : { namespace }),
    ...(image === undefined ? {} : { image }),
    ...(storageSize === undefined ? {} : { storageSize }),
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(flags.postgresSecret === undefined ? {} : { postgresSecret: flags.postgresSecret }),
    ...(readNamespace === undefined ? {} : { readNamespaces: readNamespace }),
    ...(flags.scaleKind === undefined ? {} : { scaleKinds: [...new Set(flags.scaleKind)] }),
    ...(watchNamespaces === undefined ? {} : { watchNamespace: watchNamespaces.join(',') }),
    ...(annotations === undefined ? {} : { serviceAccountAnnotations: annotations }),
    ...(labels === undefined ? {} : { podLabels: labels }),
    ...(networkPolicy === undefined ? {} : { networkPolicy }),
    ...(flags.nodePools === undefined ? {} : { nodePools: String(flags.nodePools) }),
    ...(flags.externalMetrics === undefined ? {} : { externalMetrics: String(flags.externalMetrics) }),
    ...(flags.advice === undefined ? {} : { advice: String(flags.advice) }),
    // Advice by itself is advice and no more, whatever was given besides before.
    ...(flags.takeOver === undefined && flags.advice === undefined
      ? {}
      : { takeOver: String(flags.takeOver ?? false) }),
    ...(flags.serveServices === undefined ? {} : { serveServices: String(flags.serveServices) }),
    ...(flags.sizing === undefined ? {} : { sizing: String(flags.sizing) }),
    ...(flags.warmth === undefined ? {} : { warmth: String(flags.warmth) }),
    ...(flags.metrics === undefined ? {} : { metrics: String(flags.metrics) }),
    ...(flags.gateway === undefined ? {} : { gateway: flags.gateway }),
    ...(kinds === undefined ? {} : { withoutKinds: !kinds }),
  };
  if (chosen.watchNamespace && chosen.nodePools === 'true') {
    throw new Failure(
      'usage',
      '--node-pools needs rights in the whole cluster, and --watch-namespace gives them in those alone that it names',
    );
  }
  if (flags.takeOver && chosen.advice !== 'true') {
    throw new Failure('usage', '--take-over is for --advice: an operator that is in charge has these rights already');
  }
  if (chosen.advice === 'true') {
    if (flags.nodePools) throw new Failure('usage', '--advice does nothing with machines: leave --node-pools out');
    if (flags.gateway && chosen.takeOver !== 'true') {
      throw new Failure('usage', '--advice holds no requests: leave --gateway out, or add --take-over');
    }
  }
  const own = chosen.namespace ?? defaultSettings.namespace;
  return { ...chosen, readNamespaces: [...new Set(chosen.readNamespaces)].filter((name) => name !== own) };
}

/** Each once; one word may be several with commas between them. */
export function namesOf(written: readonly string[]): string[] {
  return [...new Set(written.flatMap((text) => text.split(',')).map((name) => name.trim()))];
}

const namePattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export function checkName(name: string): void {
  if (namePattern.test(name)) return;
  const near = name.toLowerCase().replaceAll('_', '-');
  const hint = namePattern.test(near) ? ` Did you mean ${near}?` : '';
  throw new Failure(
    'usage',
    `"${name}" is not the name of a namespace: lower-case letters, digits and dashes, at most 63.${hint}`,
  );
}

function checkSecret(name: string): void {
  if (/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name)) return;
  // Not shown: somebody may have written the URL itself, with its password.
  throw new Failure(
    'usage',
    '--postgres-secret is the name of a Secret in the namespace of the operator, such as ebb-store; its key url has the address',
  );
}

function checkScaleKind(kind: string): void {
  if (/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/[a-z][a-z0-9]{0,62}$/.test(kind)) return;
  throw new Failure(
    'usage',
    `--scale-kind: "${kind}" is not a group and the name of a resource, such as argoproj.io/rollouts (kubectl api-resources shows both)`,
  );
}

function checkSize(size: string): void {
  const parsed = parseBytes(size);
  if ('error' in parsed) throw new Failure('usage', `--storage-size: ${parsed.error}`);
}

const keyPattern = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;

function readPairs(flag: string, written: readonly string[] | undefined): Record<string, string> | undefined {
  if (written === undefined) return undefined;
  const pairs = written.map((text): [string, string] => {
    const at = text.indexOf('=');
    const name = text.slice(0, Math.max(at, 0));
    if (at < 0 || !keyPattern.test(name)) {
      throw new Failure(
        'usage',
        `${flag}: "${text}" is not KEY=VALUE, such as eks.amazonaws.com/role-arn=arn:aws:iam::1:role/ebb`,
      );
    }
    return [name, text.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

function checkLabel(name: string, value: string): void {
  if (/^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/.test(value)) return;
  throw new Failure(
    'usage',
    `--pod-label ${name}: "${value}" is not the value of a label: at most 63 letters, digits, "-", "_" and "."`,
  );
}
