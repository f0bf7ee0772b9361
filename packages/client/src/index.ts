export {
  type ApplyOptions,
  Client,
  connect,
  type ConnectOptions,
  type JournalOptions,
  type LogOptions,
  type Place,
} from './client.ts';
export { readControlFile } from './endpoint.ts';
export { ApiError, NotRunningError, UnreachableError } from './errors.ts';
export type {
  ApiObject,
  ApiObjectList,
  ApplyOutcome,
  ApplyResult,
  ClassRecommendation,
  ControlFile,
  Explanation,
  JournalRecord,
  LogLine,
  ObjectToPut,
  ProblemBody,
  SizedAmounts,
  WorkloadRecommendation,
} from './types.ts';
export type { WatchOptions } from './watch.ts';
