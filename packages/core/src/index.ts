export * from './replicas/types.ts';
export * from './explain/reasons.ts';
export * from './allocate/types.ts';
export * from './dispatch/types.ts';
export * from './ports/ports.ts';
export * from './ports/link.ts';
