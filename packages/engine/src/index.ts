export { createEngine } from './engine.ts';
export { type ReplayedDecision, replayJournal, type WorkloadSnapshot } from './replay.ts';
export * from './types.ts';
