export * from './objectKey.ts';
export * from './problem.ts';
export * from './status.ts';
export * from './workload/resolved.ts';
