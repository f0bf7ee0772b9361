/** Steps of one decision, in order (design §4). */
export type Stage =
  | 'reading'
  | 'recommendation'
  | 'combine'
  | 'forecast'
  | 'gate'
  | 'behavior'
  | 'bounds'
  | 'grant'
  | 'victims';

/** One typed step of a decision: a stable code and the numbers that led to it. `reasonSentence` words it. */
export interface Reason {
  code: string;
  stage: Stage;
  data: Record<string, string | number | boolean | null>;
}
