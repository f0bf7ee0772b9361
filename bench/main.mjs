// Benchmarks by name, on the built packages: `npm run bench -- NAME [FLAGS]`.
import { cpus, totalmem } from 'node:os';

const benches = {
  decide: {
    does: 'one decision round over 10,000 workloads: CPU, memory, journal bytes',
    load: () => import('./decide.mjs'),
  },
  rehearse: {
    does: 'a million requests through the full stack on virtual time',
    load: () => import('./rehearse.mjs'),
  },
  policy: {
    does: 'Ebb’s own policy against fixed ones on recorded traces, and what each part of it is worth',
    load: () => import('./policy.mjs'),
  },
  events: {
    does: 'from a message at a real broker to the decision, and a thousand triggers at rest',
    load: () => import('./events.mjs'),
  },
  jobs: {
    does: '10,000 Jobs on real parts under kills of control plane, agent, workers and broker: nothing is lost',
    load: () => import('./jobs.mjs'),
  },
  placement: {
    does: 'pods onto machines: cost over the lower bound beside Karpenter and Cluster Autoscaler, and seconds',
    load: () => import('./placement.mjs'),
  },
  spot: {
    does: 'machines on spot through recorded losses: cost and time with all that is wanted, beside other ways',
    load: () => import('./spot.mjs'),
  },
  kubernetes: {
    does: 'the operator on a real API server: message to replicas, 2,000 ScaledObjects at rest, restart, what is written',
    load: () => import('./kubernetes.mjs'),
  },
};

const [name, ...args] = process.argv.slice(2);

if (name === undefined || name === '--help') {
  listBenches(console.log);
} else if (!Object.hasOwn(benches, name)) {
  const meant = await nearestName(name);
  console.error(`bench: there is no bench "${name}".${meant ? ` Did you mean "${meant}"?` : ''}`);
  listBenches(console.error);
  process.exitCode = 2;
} else {
  const [cpu] = cpus();
  console.log(`${name}: ${benches[name].does}`);
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ` +
      `${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${process.platform}-${process.arch}`,
  );
  console.log('');
  const { run } = await benches[name].load();
  process.exitCode = await run(args);
}

function listBenches(print) {
  print('npm run bench -- NAME [FLAGS]');
  for (const [known, { does }] of Object.entries(benches)) print(`  ${known}  ${does}`);
}

async function nearestName(typed) {
  const { nearest } = await import('../packages/documents/dist/index.js');
  return nearest(typed, Object.keys(benches));
}
