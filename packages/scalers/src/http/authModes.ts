import type { SettingProblem, Settings, WrittenSettings } from '../contract/definition.ts';
import { choice, list, type Origin, type Parameter, SettingFault, text } from '../contract/parameter.ts';

/** How a request says who is asking; several at once where they do not exclude each other. */
export type AuthMode = 'apiKey' | 'basic' | 'tls' | 'bearer' | 'custom' | 'oauth';
const authModes: readonly AuthMode[] = ['apiKey', 'basic', 'tls', 'bearer', 'custom', 'oauth'];
/** Only one of them can fill the Authorization header. */
const exclusive: readonly AuthMode[] = ['bearer', 'basic', 'oauth'];

function modes(description: string): Parameter<readonly AuthMode[] | undefined> {
  const allowed = `one or more of ${authModes.join(', ')} with commas between`;
  return {
    kind: 'list',
    description,
    from: ['metadata', 'auth'],
    required: false,
    values: authModes,
    allowed,
    secret: false,
    parse: (written) =>
      written.split(',').map((part) => {
        const mode = authModes.find((known) => known === part.trim());
        if (mode === undefined) throw new SettingFault(`must be ${allowed}`);
        return mode;
      }),
  };
}

const auth: readonly Origin[] = ['auth'];
const metadataOrAuth: readonly Origin[] = ['metadata', 'auth'];

/** Settings of KEDA's HTTP authentication, the same for all triggers that ask over HTTP. */
export const authParameters = {
  authModes: modes('How requests are authenticated.'),
  authMode: modes('Another name of `authModes`.'),
  username: text({ from: auth, description: 'User of mode basic.' }),
  password: text({ from: auth, secret: true, description: 'Password of mode basic; may be empty.' }),
  bearerToken: text({ from: auth, secret: true, description: 'Token of mode bearer.' }),
  token: text({ from: auth, secret: true, description: 'Another name of `bearerToken`.' }),
  cert: text({ from: auth, description: 'Client certificate of mode tls, PEM.' }),
  key: text({ from: auth, secret: true, description: 'Key of the client certificate, PEM.' }),
  ca: text({ from: auth, description: 'Certificate authority of the server, PEM.' }),
  customAuthHeader: text({ from: auth, description: 'Name of the header of mode custom.' }),
  customAuthValue: text({ from: auth, secret: true, description: 'Value of the header of mode custom.' }),
  apiKey: text({ from: metadataOrAuth, secret: true, description: 'Key of mode apiKey.' }),
  method: choice(['header', 'query'], {
    from: metadataOrAuth,
    default: 'header',
    description: 'Where the key of mode apiKey goes.',
  }),
  keyParamName: text({
    from: metadataOrAuth,
    description: 'Name of the header (default X-API-KEY) or of the query parameter (default api_key).',
  }),
  oauthTokenURI: text({ from: auth, description: 'Where mode oauth gets its token (client credentials).' }),
  clientID: text({ from: auth, description: 'Client of mode oauth.' }),
  clientSecret: text({ from: auth, secret: true, description: 'Secret of the client of mode oauth.' }),
  scopes: list({ from: auth, description: 'Scopes of mode oauth.' }),
  scope: list({ from: auth, description: 'Another name of `scopes`.' }),
  endpointParams: text({ from: auth, description: 'Further fields of the token request, `a=1&b=2`.' }),
};

export type AuthSettings = Settings<typeof authParameters>;

/** The modes that are on. */
export function modesOf(settings: AuthSettings): readonly AuthMode[] {
  return settings.authModes ?? settings.authMode ?? [];
}

/** What is missing or does not go together. */
export function checkAuthModes(settings: AuthSettings, { auth: given }: WrittenSettings): SettingProblem[] {
  const on = modesOf(settings);
  const parameter = settings.authModes === undefined && settings.authMode !== undefined ? 'authMode' : 'authModes';
  const clashing = on.filter((mode) => exclusive.includes(mode));
  if (clashing.length > 1) {
    return [
      { parameter, message: `${parameter} can have only one of ${exclusive.join(', ')}, found ${clashing.join(', ')}` },
    ];
  }
  // All but the API key can only come from what is not known yet.
  if (given === null) return [];
  return on.flatMap((mode) =>
    needs(mode, settings)
      .filter(([, value]) => value === undefined || value.trim() === '')
      .map(([name]) => ({
        parameter,
        message: `${parameter} ${mode} needs the parameter ${name} of the trigger's authentication, which is missing`,
      })),
  );
}

function needs(mode: AuthMode, settings: AuthSettings): [string, string | undefined][] {
  const { bearerToken, token, username, cert, key, customAuthHeader, customAuthValue, apiKey } = settings;
  switch (mode) {
    case 'bearer':
      return [['bearerToken', bearerToken ?? token]];
    case 'basic':
      return [['username', username]];
    case 'tls':
      return [
        ['cert', cert],
        ['key', key],
      ];
    case 'custom':
      return [
        ['customAuthHeader', customAuthHeader],
        ['customAuthValue', customAuthValue],
      ];
    case 'apiKey':
      return [['apiKey', apiKey]];
    case 'oauth':
      return [
        ['oauthTokenURI', settings.oauthTokenURI],
        ['clientID', settings.clientID],
      ];
  }
}
