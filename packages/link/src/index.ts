export { Connection, type ConnectionIdentity } from './connection.ts';
export { connectLink, isAlive, type LinkServer, listenLink, SocketInUseError } from './server.ts';
export { socketPath } from './socketPath.ts';
export {
  connectTcpLink,
  LinkRefusedError,
  listenTcpLink,
  type TcpAddress,
  type TcpLinkOptions,
  type TcpLinkServer,
} from './tcpLink.ts';
