export { Connection, type ConnectionIdentity } from './connection.ts';
export { connectLink, isAlive, type LinkServer, listenLink, SocketInUseError } from './server.ts';
export { socketPath } from './socketPath.ts';
