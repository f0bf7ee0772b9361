import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ApiProblem, apiErrors, errorPage, problemBody } from './errors.ts';

const page = readFileSync(new URL('../../errors.md', import.meta.url), 'utf8');

describe('errors of the API', () => {
  it('are all on the reference page, and the page has no others', () => {
    const listed = [...page.matchAll(/^## `([a-z-]+)`\n\nStatus (\d+)\./gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    expect(listed).toEqual(Object.entries(apiErrors).map(([code, [status]]) => [code, status]));
    expect(page).toBe(errorPage());
  });

  it('have a body after RFC 9457', () => {
    expect(problemBody(new ApiProblem('not-found', 'there is no Workload local/default/a'))).toEqual({
      type: 'urn:ebb:problem:not-found',
      title: 'Object does not exist',
      status: 404,
      detail: 'there is no Workload local/default/a',
      code: 'not-found',
    });
  });
});
