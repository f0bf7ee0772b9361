import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { available, identityOf, programs, ServiceUnavailable, wherePrograms } from './installed.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it('names service and program when one is not installed, and says how to get it', () => {
  vi.stubEnv('PATH', '/nowhere');
  expect(() => programs('redis')).toThrow(ServiceUnavailable);
  expect(() => programs('redis')).toThrow(
    /^redis is not installed here: redis-server was not found\. tools\/services\/install\.sh/,
  );
});

it('says aloud that a suite is skipped', () => {
  vi.stubEnv('PATH', '/nowhere');
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  expect(available('redis')).toBe(false);
  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^services: SKIPPED redis: /));
});

it.runIf(process.getuid?.() === 0)('knows the users of the system, and says which is missing', () => {
  expect(identityOf('root')).toEqual({ uid: 0, gid: 0 });
  expect(() => identityOf('nobody-has-this-name')).toThrow('no user "nobody-has-this-name"');
});

it('looks for the versions of Kubernetes that its modules build', () => {
  const modules = [
    ['etcd', 'go.etcd.io/etcd/server/v3', 'etcd'],
    ['control-plane', 'k8s.io/kubernetes', 'kubernetes'],
    ['kwok', 'sigs.k8s.io/kwok', 'kwok'],
    ['helm', 'helm.sh/helm/v3', 'helm'],
  ];
  const built = modules.map(([folder, module, name]) => {
    const text = readFileSync(new URL(`../../../../tools/kubernetes/${folder}/go.mod`, import.meta.url), 'utf8');
    return `${name}-${text.split(`${module} v`)[1]?.split(/\s/)[0]}`;
  });
  const where = [...Object.values(wherePrograms('kubernetes')), ...Object.values(wherePrograms('helm'))];
  const paths = where.filter((path) => path.includes('/'));
  expect(new Set(paths.map((path) => basename(dirname(path))))).toEqual(new Set(built));
});
