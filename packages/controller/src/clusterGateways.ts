import { randomBytes } from 'node:crypto';
import type { FromGateway, ToGateway } from '@ebb/core';
import type { GatewayConnection, GatewayPorts } from '@ebb/kubernetes';
import { connectTcpLink } from '@ebb/link';

/** Gateways of a cluster are reached over TCP, by a secret that both sides know. */
export function clusterGateways(): GatewayPorts {
  return {
    newSecret: () => randomBytes(32).toString('base64url'),
    async connect({ host, port, secret, epoch }): Promise<GatewayConnection> {
      const link = await connectTcpLink<FromGateway, ToGateway>(
        { host, port, secret: () => secret },
        { sender: 'operator', epoch },
      );
      const connection: GatewayConnection = {
        send: (message) => link.send(message),
        close: () => link.end(),
        onMessage: () => {},
        onClose: () => {},
      };
      link.onMessage = (message, envelope) => connection.onMessage(message, envelope.epoch);
      // What it has lost of ours it asks for by itself; what we lost of its comes with its next counts, but not `drained`.
      link.onGap = () => link.destroy();
      link.onClose = (error) => connection.onClose(error?.message ?? 'the gateway closed the connection');
      return connection;
    },
  };
}
