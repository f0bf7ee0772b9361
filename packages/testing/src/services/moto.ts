import { programs } from './installed.ts';
import { getPage } from './page.ts';
import { freePort, loopback } from './ports.ts';
import { Service } from './service.ts';
import { newServiceFolder } from './watchdog.ts';

/** A running moto: AWS' interfaces, EC2 and Auto Scaling among them, on one machine. Machines run at once and forget everything at a restart. */
export class MotoService extends Service {
  /** Endpoint of every service. */
  get url(): string {
    return `http://${this.address}`;
  }

  protected override async isReady(): Promise<boolean> {
    return (await getPage(`${this.url}/moto-api/`)).status === 200;
  }

  /** An account without anything in it but its default network. */
  async reset(): Promise<void> {
    const { status } = await fetch(`${this.url}/moto-api/reset`, { method: 'POST' });
    if (status !== 200) throw new Error(`moto answered the reset with status ${status}`);
  }
}

/** Starts moto on a free port. It knows the names of AWS' instance types and refuses others. */
export async function startMoto(): Promise<MotoService> {
  const { python } = programs('moto');
  const folder = newServiceFolder('moto');
  const port = await freePort();
  return new MotoService({
    name: 'moto',
    folder,
    port,
    program: python,
    args: ['-m', 'moto.server', '-H', loopback, '-p', String(port)],
    env: { MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION: 'true', PYTHONDONTWRITEBYTECODE: '1' },
    // Nothing of the data is kept, so nothing is waited for.
    discardSignal: 'SIGKILL',
    readyWithinMs: 60_000,
  }).start();
}
