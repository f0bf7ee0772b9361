import type { FromGateway } from '@ebb/core';

/** Where the gateway's messages go; false while no control plane listens. */
export type Send = (message: FromGateway) => boolean;
