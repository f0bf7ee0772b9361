import { VirtualSystem } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import { apiSystem } from './apiSystem.fixture.ts';
import { apiErrors } from './errors.ts';

/** Every value under a name, anywhere in a JSON value. */
function* valuesOf(value: unknown, name: string): Generator {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === name) yield inner;
    yield* valuesOf(inner, name);
  }
}

async function document() {
  const { ask, app } = await apiSystem(new VirtualSystem());
  return { app, document: (await ask('GET', '/api/v1/openapi.json')).json() };
}

describe('the OpenAPI document', () => {
  it('describes the routes that there are', async () => {
    const { app, document: openApi } = await document();
    expect(openApi.openapi).toBe('3.1.0');
    for (const [path, operations] of Object.entries<Record<string, unknown>>(openApi.paths)) {
      for (const method of Object.keys(operations)) {
        const url = path.replace(/\{(\w+)\}/g, ':$1');
        expect([method, url, app.hasRoute({ method: method.toUpperCase(), url })]).toEqual([method, url, true]);
      }
    }
    expect(Object.keys(openApi.paths).length).toBeGreaterThan(10);
  });

  it('has no reference that leads nowhere, and each operation once', async () => {
    const { document: openApi } = await document();
    const references = [...valuesOf(openApi, '$ref')];
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references) {
      const name = String(reference).replace('#/components/schemas/', '');
      expect(Object.keys(openApi.components.schemas)).toContain(name);
    }
    const ids = [...valuesOf(openApi, 'operationId')];
    expect(new Set(ids).size).toBe(ids.length);
    expect(openApi.components.schemas.WorkloadStatus.properties.coldStarts.properties.last).toBeDefined();
    expect(openApi.components.schemas.WorkloadStatus.properties.cost).toEqual({ $ref: '#/components/schemas/Cost' });
  });

  it('says which path parameters, token and errors a route has', async () => {
    const { document: openApi } = await document();
    for (const [path, operations] of Object.entries<
      Record<string, { parameters: { in: string; name: string }[]; security?: unknown }>
    >(openApi.paths)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const operation of Object.values(operations)) {
        expect(operation.parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(inPath);
        expect(operation.security).toEqual(path === '/healthz' || path === '/livez' ? [] : undefined);
      }
    }
    const { responses } = openApi.paths['/api/v1/watch'].get;
    expect(responses['410'].description).toContain('watch-expired');
    expect(responses['401'].description).toContain('unauthorized');
    expect(openApi.components.schemas.ProblemBody.properties.code.enum).toEqual(Object.keys(apiErrors));
  });
});
