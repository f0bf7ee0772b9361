/** Requests of one workload in order of arrival, whole microseconds. */
export interface OracleRequests {
  atUs: Float64Array;
  serviceUs: Float64Array;
}

export interface OracleModel {
  /** Slots of a replica. */
  concurrency: number;
  /** Asked for → usable; billed. */
  coldStartMs: number;
  /** On time: service begins within this after the arrival. */
  onTimeMs: number;
  /** Share of the requests of all workloads together that must be on time. */
  onTimeShare: number;
  /** Replicas of each workload that are usable at time 0 without having been started; left out: 0. */
  readyReplicas?: number;
}

/** The same in microseconds and counts. */
export interface Terms {
  slots: number;
  coldStartUs: number;
  onTimeUs: number;
  /** So many of all requests may be late. */
  mostLate: number;
  ready: readonly number[];
}
