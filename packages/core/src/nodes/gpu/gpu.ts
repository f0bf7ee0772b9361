/** GPUs of a node: MIG layouts, sharing rules, and which need gets which device. */
export { type AssignOptions, type AssignResult, assignGpus } from './assign.ts';
export type * from './gpuUse.ts';
export { type MigCard, migCardOf, migCards, migGpuMilli, type MigProfile, migProfile } from './migCards.ts';
export {
  fitsCard,
  layoutProblem,
  maximalLayouts,
  type MigColumn,
  migColumns,
  type MigCounts,
  type MigInstance,
  placeProfiles,
} from './migLayout.ts';
export { cheapestRelayout, type CurrentInstance, type Relayout } from './migRelayout.ts';
export { gpuNeedOf } from './need.ts';
export { sharingProblem } from './sharing.ts';
