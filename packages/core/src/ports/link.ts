import type { MachineGpus } from './machineGpus.ts';
import type {
  DriverEvent,
  GatewayEvent,
  GatewayWorkload,
  LogLine,
  ReplicaObservation,
  ReplicaStart,
  RunObservation,
  RunStart,
} from './ports.ts';

/**
 * Messages between the three local processes, one JSON object a line over a socket in the data directory.
 * Each carries (sender, epoch, sequence): older ones are dropped, a gap triggers a full resend (design §3a.8).
 * The gateway and the agent listen; the control plane connects, so that it may come and go without them.
 */
export interface Envelope<Body> {
  sender: string;
  /** Leader's epoch from the control plane; start time of the process from the others. */
  epoch: number;
  sequence: number;
  body: Body;
}

/** Control plane → gateway. */
export type ToGateway =
  /** Everything at once; what is not named is removed. First message of a connection. */
  | { type: 'sync'; workloads: GatewayWorkload[]; revision?: number }
  /** With a revision, `applied` says it back. */
  | { type: 'workload'; workload: GatewayWorkload; revision?: number }
  | { type: 'remove'; workload: string }
  /** Older connections are not listened to any more, and `hello` says again what holds now: nothing comes in between. */
  | { type: 'lead' }
  | { type: 'shutdown' };

/** Gateway → control plane. */
export type FromGateway =
  /** `slots`: what it may send to each replica at once by what it was told last; unlimited ones left out. Older versions leave it out. */
  | { type: 'hello'; gateway: string; url: string; pid: number; slots?: Record<string, number> }
  | Exclude<GatewayEvent, { type: 'connected' } | { type: 'disconnected' } | { type: 'gone' }>
  /** The message of this revision, and all before it, is in force. Counts of its workloads came just before this. */
  | { type: 'applied'; revision: number }
  | { type: 'resend' };

/** Control plane → agent. `id` pairs a question with its answer. */
export type ToAgent =
  /** With the moment it was asked, on the control plane's clock and on the machine's monotonic one. */
  | { type: 'ensure'; start: ReplicaStart; askedAtMs?: number; askedAtUs?: number }
  | { type: 'run'; start: RunStart; askedAtMs?: number; askedAtUs?: number }
  /** A replica or a run. */
  | { type: 'stop'; id: string }
  /** Answered by `snapshot`, or by `listed` where a question is given. */
  | { type: 'list'; question?: number }
  | { type: 'logs'; question: number; workload: string; replica: string | null; tailLines: number; follow: boolean }
  | { type: 'logs-end'; question: number }
  /** Ends every replica and every run that goes on (SIGTERM, grace, SIGKILL), then the agent itself. */
  | { type: 'shutdown'; stopReplicas: boolean };

/** Agent → control plane. */
export type FromAgent =
  | { type: 'hello'; agent: string; pid: number }
  | Exclude<DriverEvent, { type: 'disconnected' }>
  | { type: 'listed'; question: number; replicas: ReplicaObservation[]; runs?: RunObservation[] }
  /** What the machine has, with the list and whenever it has changed. */
  | { type: 'machine'; machine: MachineGpus }
  /** The sender's epoch is older than one that was heard: nothing was done, and the connection ends. */
  | { type: 'refused'; code: 'stale-epoch'; message: string }
  | { type: 'log'; question: number; line: LogLine }
  | { type: 'log-end'; question: number };
