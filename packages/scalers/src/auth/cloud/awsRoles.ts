import { SourceError } from '../../contract/errors.ts';
import { type AwsCredentials, signAwsRequest } from '../awsSignature.ts';
import { cacheKey } from '../cacheKey.ts';
import { keptCredentials, type TemporaryCredentials } from './awsPlaces.ts';
import { askTokenPlace, type CloudAccess, fileOf, noToken } from './cloudAccess.ts';

const version = '2011-06-15';
const defaultSession = 'ebb';
const globalRegion = 'us-east-1';
const tokenFileVariable = 'AWS_WEB_IDENTITY_TOKEN_FILE';

interface RoleQuestion {
  roleArn: string;
  externalId?: string | undefined;
}

/** Address of a service of AWS: AWS's own variables for another one come first, as in its clients. Throws `SourceError`. */
export function awsEndpoint(
  { ownEnv }: Pick<CloudAccess, 'ownEnv'>,
  service: { variable: string; host: string; region: string },
): string {
  const variable = ownEnv(service.variable) ? service.variable : 'AWS_ENDPOINT_URL';
  const other = ownEnv(variable);
  if (other && !URL.canParse(other)) throw new SourceError('bad-setting', `${variable} is not an address`);
  if (other) return new URL(other).href;
  return `https://${service.host}.amazonaws.com${service.region.startsWith('cn-') ? '.cn' : ''}/`;
}

/** A role that trusts the cluster's service accounts, taken on with the token of Ebb's (IRSA). */
export function assumeRoleWithWebIdentity(
  access: CloudAccess,
  roleArn: string,
  region: string | null,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const at = securityTokenService(access, region);
  const tokenFile = access.ownEnv(tokenFileVariable);
  const key = cacheKey('aws web identity', at.url, roleArn, tokenFile);
  return keptCredentials(access, key, signal, async (signal) => {
    if (!tokenFile) throw new SourceError('bad-setting', `${tokenFileVariable} is not set where Ebb runs`);
    const token = await fileOf(access, tokenFile, tokenFileVariable);
    const form = { Action: 'AssumeRoleWithWebIdentity', RoleArn: roleArn, WebIdentityToken: token };
    return askForRole(access, at, form, roleArn, null, signal);
  });
}

/** Another role, taken on with credentials that are there already. */
export function assumeRole(
  access: CloudAccess,
  { roleArn, externalId }: RoleQuestion,
  region: string | null,
  own: (signal: AbortSignal) => Promise<AwsCredentials>,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const at = securityTokenService(access, region);
  return keptCredentials(access, cacheKey('aws role', at.url, roleArn, externalId), signal, async (signal) => {
    const form = { Action: 'AssumeRole', RoleArn: roleArn, ...(externalId ? { ExternalId: externalId } : {}) };
    return askForRole(access, at, form, roleArn, await own(signal), signal);
  });
}

interface Service {
  url: string;
  region: string;
}

function securityTokenService(access: CloudAccess, region: string | null): Service {
  const { ownEnv } = access;
  const said = region || ownEnv('AWS_REGION') || ownEnv('AWS_DEFAULT_REGION') || globalRegion;
  return {
    url: awsEndpoint(access, { variable: 'AWS_ENDPOINT_URL_STS', host: `sts.${said}`, region: said }),
    region: said,
  };
}

/** Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html */
async function askForRole(
  access: CloudAccess,
  { url, region }: Service,
  fields: Readonly<Record<string, string>>,
  roleArn: string,
  own: AwsCredentials | null,
  signal: AbortSignal,
): Promise<TemporaryCredentials> {
  const session = access.ownEnv('AWS_ROLE_SESSION_NAME') || defaultSession;
  const body = new URLSearchParams({ ...fields, RoleSessionName: session, Version: version }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const request = { method: 'POST' as const, url, body, headers };
  const scope = { region, service: 'sts', wallNowMs: access.wallNowMs() };
  const all: Record<string, string> = own ? signAwsRequest(request, own, scope) : headers;
  const { host: _, ...signed } = all;
  const who = `AWS role ${roleArn}`;
  const { status, text } = await askTokenPlace(access, who, { ...request, headers: signed, signal });
  const answer = await elementsOf(text);
  const [accessKeyId, secretAccessKey] = [answer.AccessKeyId, answer.SecretAccessKey];
  if (status === 200 && accessKeyId && secretAccessKey) {
    const endsAtMs = Date.parse(answer.Expiration ?? '');
    const credentials = { accessKeyId, secretAccessKey, sessionToken: answer.SessionToken };
    return { credentials, endsAtMs: Number.isFinite(endsAtMs) ? endsAtMs : 0 };
  }
  const said = [answer.Code, answer.Message].filter((part) => part !== undefined).join(': ');
  const secrets = [fields.WebIdentityToken, own?.secretAccessKey, own?.sessionToken];
  throw noToken(
    `${who} (${fields.Action})`,
    url,
    status,
    said,
    secrets.filter((one) => one !== undefined),
  );
}

const told = ['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration', 'Code', 'Message'] as const;

/** The texts of an answer of STS, wherever in it they stand; empty for what is not XML. */
async function elementsOf(text: string): Promise<Partial<Record<(typeof told)[number], string>>> {
  const { XMLParser, XMLValidator } = await import('fast-xml-parser');
  if (XMLValidator.validate(text) !== true) return {};
  const found: Partial<Record<(typeof told)[number], string>> = {};
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      const known = told.find((one) => one === name);
      if (known && typeof inner === 'string') found[known] = inner;
      else walk(inner);
    }
  };
  walk(new XMLParser({ parseTagValue: false }).parse(text));
  return found;
}
