import { it } from 'vitest';
import { Simulation } from './simulation.fixture.ts';
import { fleetStep } from './fleetStep.ts';
it('dbg', () => {
  const s = new Simulation(Number(process.env.DBG_SEED));
  s.run();
  console.log(s.wrong.map((w) => w.slice(0, 300)));
  const obs = { nowMs: s.nowMs, machines: s.cloud.list(), outcomes: [], pods: s.replicas.asPods() };
  const r = fleetStep(s.spec, s.memory, obs, null);
  console.log(JSON.stringify(r.decision.actions.map((a) => a.type === 'launch' ? [a.type, a.node.id, a.node.offering.id] : [a.type]), null, 0));
  console.log(JSON.stringify(r.decision.reasons, null, 0));
  console.log(JSON.stringify(s.memory?.hedges?.map((h) => [h.size, h.needed, h.decision.spot, h.decision.onDemand, h.decision.revisitAtMs - s.nowMs])));
  console.log(JSON.stringify(r.memory?.hedges?.map((h) => [h.size, h.needed, h.decision.spot, h.decision.onDemand])));
  console.log(s.memory?.nodes.map((n) => [n.id, n.pool, n.offering.id, n.phase, n.unreadySinceMs, s.replicas.on(n.id).length].join(' ')));
  console.log(JSON.stringify(s.spec.pools.map(p=>[p.spot, p.consolidation.pool.limits.nodes, p.weight, p.consolidation.warmSpares, p.consolidation.minNodes])));
});
