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
  ControlFile,
  Explanation,
  JournalRecord,
  LogLine,
  ObjectToPut,
  ProblemBody,
} from './types.ts';
export type { WatchOptions } from './watch.ts';
