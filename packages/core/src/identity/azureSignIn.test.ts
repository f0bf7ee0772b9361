import { describe, expect, it } from 'vitest';
import { azureTokenAnswer, azureTokenRequest } from './azureSignIn.ts';

const application = {
  authority: 'https://login.example/',
  tenantId: 'a/b',
  clientId: 'app',
  scope: 'https://vault.azure.net/.default',
};

describe('signing in to Azure', () => {
  it('proves the application by its secret or by a token', () => {
    const base = { grant_type: 'client_credentials', client_id: 'app', scope: application.scope };
    expect(azureTokenRequest({ ...application, proof: { clientSecret: 's' } })).toEqual({
      url: 'https://login.example/a%2Fb/oauth2/v2.0/token',
      form: { ...base, client_secret: 's' },
    });
    expect(azureTokenRequest({ ...application, proof: { assertion: 'jwt' } }).form).toEqual({
      ...base,
      client_assertion: 'jwt',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
  });

  it.each<[unknown, number]>([
    [{ access_token: 't', expires_in: 3599 }, 3_599_000],
    [{ access_token: 't', expires_in: '86400' }, 86_400_000],
    [{ access_token: 't' }, 0],
    [{ access_token: 't', expires_in: 'soon' }, 0],
  ])('reads %j', (body, lifetimeMs) => {
    expect(azureTokenAnswer(200, body)).toEqual({ token: 't', lifetimeMs });
  });

  it.each<[number, unknown, string, boolean]>([
    [
      400,
      { error: 'invalid_client', error_description: 'AADSTS7000215: wrong secret\nTrace ID: x' },
      'invalid_client: AADSTS7000215: wrong secret',
      false,
    ],
    [503, null, 'HTTP 503', true],
    [429, {}, 'HTTP 429', true],
    [200, { access_token: '' }, 'HTTP 200', false],
    [200, 'text', 'HTTP 200', false],
  ])('%d %j is a refusal', (status, body, refusal, isLater) => {
    expect(azureTokenAnswer(status, body)).toEqual({ refusal, isLater });
  });
});
