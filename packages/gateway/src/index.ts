export type {
  AnswerHead,
  AnswerSink,
  BodyReader,
  BodySource,
  Exchange,
  FieldList,
  RequestHead,
  Upstream,
  UpstreamAddress,
  UpstreamCall,
  UpstreamFailure,
  UpstreamRequest,
} from './exchange.ts';
export type { ListenForControl } from './control.ts';
export { Gateway, type GatewayOptions } from './gateway.ts';
export { type GatewayProcessOptions, PortTakenError, type RunningGateway, startGateway } from './gatewayProcess.ts';
export { type ProblemCode, problems } from './problem.ts';
