import { blackHole, refusedPort } from '../../../testing/src/services/index.ts';
import { describeSource, type SourceUnderTest } from '../contract/sourceConformance.fixture.ts';
import { external, externalPush } from './external.ts';
import { TestScaler } from './server.fixture.ts';

async function start(): Promise<SourceUnderTest> {
  const scaler = new TestScaler();
  let length = 0;
  scaler.isActive = ({ scalerMetadata: { above = '0' } }) => length > Number(above);
  await scaler.start();
  const hole = await blackHole();
  const refused = `127.0.0.1:${await refusedPort()}`;
  const values = (metadata: Record<string, string> = {}, scalerAddress = scaler.address) => ({
    metadata: { scalerAddress, ...metadata },
    auth: {},
    env: {},
  });
  const set = async (count: number) => {
    length = count;
    scaler.metrics = [{ metricName: 'queue', target: { targetSize: 5 }, values: [{ metricValue: count }] }];
    scaler.setActive(count > 0);
  };
  return {
    values: values(),
    activatesAbove5: values({ above: '5' }),
    blackHole: values({}, hole.address),
    refused: values({}, refused),
    set,
    truth: async () => length,
    async restart() {
      scaler.stop();
      await scaler.start();
    },
    million: () => set(1_000_000),
    async close() {
      scaler.stop();
      await hole.stop();
    },
  };
}

describeSource('external', { definition: external, start });
describeSource('external-push', { definition: externalPush, start });
