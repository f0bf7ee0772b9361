/** What the engine knows of one gateway process. */
export interface GatewayLink {
  name: string;
  connected: boolean;
  url: string | null;
  pid: number | null;
  /** When its last message of counts came, engine time; null: none since it connected. */
  countsAtMs: number | null;
  /** The gateway's own clock in that message. */
  countsAtUs: number;
  /** A look at whether it has fallen silent is due. */
  watched: boolean;
}

/** Counts older than this are missing: silence is not zero demand (design §3a.8). */
export const silentAfterMs = 3000;

export function newGatewayLink(name: string): GatewayLink {
  return { name, connected: false, url: null, pid: null, countsAtMs: null, countsAtUs: 0, watched: false };
}

/** Whether its counts may be used. */
export function isHeard(link: GatewayLink, nowMs: number): boolean {
  return link.connected && link.countsAtMs !== null && nowMs - link.countsAtMs <= silentAfterMs;
}
