import { customResourceDefinition, ownKindNames } from '@ebb/documents';
import { conditionOf, isObject, listAt, numberAt, textAt, timeAt } from '../../client/values.ts';
import { installName } from '../../manifests/settings.ts';
import { missingFrom } from '../difference.ts';
import { operatorReadiness } from '../readiness.ts';
import { rightsText } from '../rights.ts';
import { compareVersions } from '../versions.ts';
import type { ClusterCheck } from './doctor.ts';
import { type ClusterFacts, known, objectText, isAdviser } from './facts.ts';

const leastVersion = '1.29.0';
const mostNamed = 4;
/** Clocks of two machines are never quite the same. */
const clockSlackMs = 30_000;

/** What is Ebb's own. */
export function checkInstallation(facts: ClusterFacts): ClusterCheck[] {
  return [
    checkServer(facts),
    checkDefinitions(facts),
    checkOperator(facts),
    checkVolume(facts),
    checkLease(facts),
    checkRights(facts),
  ];
}

function checkServer({ server, serverVersion }: ClusterFacts): ClusterCheck {
  const name = 'API server';
  const found = `${serverVersion} at ${server}`;
  if (compareVersions(serverVersion, leastVersion) >= 0) return { name, state: 'ok', found, hint: null };
  return {
    name,
    state: 'bad',
    found,
    hint: `Ebb needs Kubernetes ${leastVersion} or newer: the rules of its kinds are not served before`,
  };
}

function checkDefinitions({ definitions }: ClusterFacts): ClusterCheck {
  const name = 'definitions';
  if ('forbidden' in definitions) return unread(name, definitions.forbidden);
  const wanted = ownKindNames.map((kind) => customResourceDefinition(kind));
  const found = wanted.map((own) => ({
    own,
    there: definitions.value.find((one) => textAt(one, 'metadata', 'name') === own.metadata.name),
  }));
  const missing = found.filter(({ there }) => !there).map(({ own }) => own.metadata.name);
  if (missing.length > 0) {
    const hint =
      'ebb kubernetes install makes them; without them there are no documents of Ebb, and those of KEDA work all the same';
    return { name, state: 'bad', found: `missing: ${missing.join(', ')}`, hint };
  }
  const waiting = found.filter(({ there }) => conditionOf(there, 'Established')?.status !== 'True');
  if (waiting.length > 0) {
    const why = waiting.map(
      ({ own, there }) =>
        `${own.metadata.name}: ${textAt(conditionOf(there, 'NamesAccepted'), 'message') ?? 'not served yet'}`,
    );
    return {
      name,
      state: 'bad',
      found: why.join('; '),
      hint: 'another definition may have taken its names: kubectl get crd',
    };
  }
  const other = found.filter(({ own, there }) => missingFrom(own.spec, there?.spec, 'spec').length > 0);
  const versions = [...new Set(found.flatMap(({ there }) => listAt(there, 'status', 'storedVersions')))].join(', ');
  const names = found.map(({ own }) => own.metadata.name.split('.')[0]).join(', ');
  if (other.length === 0) return { name, state: 'ok', found: `${names}, stored as ${versions}`, hint: null };
  const differing = other.map(({ own }) => own.metadata.name).join(', ');
  return { name, state: 'hint', found: `${differing} are of another version of Ebb`, hint: 'ebb kubernetes upgrade' };
}

function checkOperator({ deployments, namespace, version, pods, claim, nodes }: ClusterFacts): ClusterCheck {
  const name = 'operator';
  if ('forbidden' in deployments) return unread(name, deployments.forbidden);
  const own = deployments.value.find((one) => isNamed(one, namespace));
  if (!own) {
    const elsewhere = deployments.value.find(
      (one) =>
        textAt(one, 'metadata', 'labels', 'app.kubernetes.io/part-of') === 'ebb' &&
        textAt(one, 'metadata', 'name') === installName,
    );
    const at = textAt(elsewhere, 'metadata', 'namespace');
    if (at === null)
      return { name, state: 'bad', found: `no Deployment ${namespace}/${installName}`, hint: 'ebb kubernetes install' };
    return {
      name,
      state: 'bad',
      found: `no Deployment ${namespace}/${installName}; one is in ${at}`,
      hint: `ebb kubernetes doctor --namespace ${at}`,
    };
  }
  const claims = 'value' in claim && claim.value ? [claim.value] : [];
  const { isReady, text } = operatorReadiness(own, known(pods), claims);
  const there = textAt(own, 'metadata', 'labels', 'app.kubernetes.io/version') ?? 'an unknown version';
  const mode = isAdviser(own) ? ', in advice: it writes to no target but what it has taken over' : '';
  const found = `${objectText(own)} ${there}, ${text}${mode}`;
  if (!isReady)
    return { name, state: 'bad', found, hint: `kubectl logs --namespace ${namespace} deployment/${installName}` };
  const fake = known(nodes).filter((node) => textAt(node, 'metadata', 'annotations', 'kwok.x-k8s.io/node') !== null);
  const fakeNames = new Set(fake.map((node) => textAt(node, 'metadata', 'name')));
  if (known(pods).some((pod) => fakeNames.has(textAt(pod, 'spec', 'nodeName')))) {
    const hint =
      'it is on a fake node of KWOK, which says ready of pods that do not run; the lease tells whether anybody decides';
    return { name, state: 'hint', found, hint };
  }
  if (there === version) return { name, state: 'ok', found, hint: null };
  const order = compareVersions(there, version);
  const hint =
    order > 0 ? `this command is of ${version}: take the ebb of ${there}` : `ebb kubernetes upgrade brings ${version}`;
  return { name, state: 'hint', found, hint };
}

function checkVolume({ claim, namespace, deployments }: ClusterFacts): ClusterCheck {
  const name = 'volume';
  const secret = storeSecretOf(known(deployments).find((one) => isNamed(one, namespace)));
  if (secret !== null)
    return {
      name,
      state: 'ok',
      found: `none: a PostgreSQL database, of the Secret ${namespace}/${secret}`,
      hint: null,
    };
  if ('forbidden' in claim) return unread(name, claim.forbidden);
  if (!claim.value)
    return {
      name,
      state: 'bad',
      found: `no PersistentVolumeClaim ${namespace}/${installName}`,
      hint: 'ebb kubernetes install',
    };
  const phase = textAt(claim.value, 'status', 'phase') ?? 'Pending';
  const size = textAt(claim.value, 'spec', 'resources', 'requests', 'storage') ?? '';
  const storage = textAt(claim.value, 'spec', 'storageClassName') ?? 'no class';
  const found = `${size} of ${storage}, ${phase}`;
  if (phase === 'Bound') return { name, state: 'ok', found, hint: null };
  return {
    name,
    state: 'bad',
    found,
    hint: 'a class that makes volumes is needed: --storage-class NAME, or a default one',
  };
}

/** The Secret that the Deployment has its database from; null: it has a volume. */
function storeSecretOf(deployment: unknown): string | null {
  const volumes = listAt(deployment, 'spec', 'template', 'spec', 'volumes');
  return textAt(
    volumes.find((one) => textAt(one, 'name') === 'store'),
    'secret',
    'secretName',
  );
}

function checkLease({ lease, pods, nowMs, namespace }: ClusterFacts): ClusterCheck {
  const name = 'lease';
  if ('forbidden' in lease) return unread(name, lease.forbidden);
  const holder = textAt(lease.value, 'spec', 'holderIdentity') ?? '';
  const hint = 'nobody decides: see why the operator is not ready, or does not run at all';
  if (holder === '') return { name, state: 'bad', found: `nobody holds ${namespace}/${installName}`, hint };
  const renewedMs = timeAt(lease.value, 'spec', 'renewTime') ?? 0;
  const lastsMs = (numberAt(lease.value, 'spec', 'leaseDurationSeconds') ?? 15) * 1000;
  const ageMs = Math.max(0, nowMs - renewedMs);
  const age = `renewed ${Math.round(ageMs / 1000)} s ago`;
  const host = holder.split('_')[0] ?? holder;
  if (ageMs > lastsMs + clockSlackMs) return { name, state: 'bad', found: `${host} held it, ${age}`, hint };
  const isPod = known(pods).some((pod) => textAt(pod, 'metadata', 'name') === host);
  const found = `${host} decides, ${age}`;
  if (isPod) return { name, state: 'ok', found, hint: null };
  return { name, state: 'hint', found, hint: 'it is no pod of the Deployment: an operator that runs elsewhere' };
}

function checkRights({ rights, namespace }: ClusterFacts): ClusterCheck {
  const name = 'rights';
  if ('forbidden' in rights)
    return { ...unread(name, rights.forbidden), hint: 'who may create subjectaccessreviews can have them checked' };
  const { missing, asked } = rights.value;
  const account = `system:serviceaccount:${namespace}:${installName}`;
  if (missing.length === 0)
    return { name, state: 'ok', found: `${account} has all ${asked} that it needs`, hint: null };
  const lines = rightsText(missing);
  const named = lines.slice(0, mostNamed).join('; ');
  const more = lines.length > mostNamed ? ` and on ${lines.length - mostNamed} more` : '';
  const hint = 'ebb kubernetes install gives them; it was installed with other settings, or its roles were changed';
  return { name, state: 'bad', found: `${account} lacks ${missing.length} of ${asked}: ${named}${more}`, hint };
}

function isNamed(body: unknown, namespace: string): boolean {
  return isObject(body) && objectText(body) === `${namespace}/${installName}`;
}

/** What could not be looked at for want of a right. */
export function unread(name: string, message: string): ClusterCheck {
  return { name, state: 'hint', found: 'not looked at: you may not', hint: message };
}
