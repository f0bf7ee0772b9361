/** A driver that did not take what it was asked for a replica is asked again after this. */
export const askAgainMs = 1000;
