import { buildRouteMap } from '@stricli/core';
import type { EbbContext } from '../context.ts';
import { journalExport } from './journalExport.ts';

export const journal = buildRouteMap<'export', EbbContext>({
  routes: { export: journalExport },
  docs: { brief: 'Write what was read, decided and done to a file' },
});
