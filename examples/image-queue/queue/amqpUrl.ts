/** The URL with a heartbeat that says within about twice that time that the other side is gone; one that is written stays. */
export function withHeartbeat(url: string, seconds: number): string {
  const address = new URL(url);
  if (!address.searchParams.has('heartbeat')) address.searchParams.set('heartbeat', String(seconds));
  return address.href;
}
