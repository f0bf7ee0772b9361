import { it } from 'vitest';
import { MemoryStore, VirtualClock, VirtualDriver, workloadDocument, applyInput, settle } from '@ebb/testing';
import { createEngine } from './index.ts';
it('10k', { timeout: 200000 }, async () => {
  const clock = new VirtualClock(); const store = new MemoryStore(); store.journal.append = async () => {}; 
  const driver = new VirtualDriver({ clock });
  let tell: any; const n = 10000;
  const none = { maxReplicas: null, capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null }, maxPricePerHourMicro: null };
  for (const limits of [none]) {
  const engine = createEngine({ epoch: await store.takeEpoch(), version: 't', node: 'l', limits, ports: { clock, store, driver, gateway: { configure() {}, remove() {}, watch: (l) => { tell = l; return () => {}; }, close: async () => {} }, scheduleScaler: () => { throw 1; }, newSuffix: () => Math.random().toString(36).slice(2), log: (l, m, d) => { if (l !== 'info') console.log(m, d); } } });
  let up = false; void engine.start().then(() => { up = true; }); await clock.runUntilTrue(() => up, 10000);
  const docs = Array.from({ length: n }, (_, i) => applyInput(workloadDocument(`w${i}`, { scaling: { maxReplicas: 3, triggers: [{ type: 'concurrency', target: 1 }, { type: 'requestRate', target: 10 }] } })));
  let t = performance.now(); await engine.apply(docs); console.log('apply', performance.now() - t);
  tell({ type: 'connected', gateway: 'g', url: 'http://x', pid: 1 }); await settle();
  const m = (k: number) => ({ type: 'counts', gateway: 'g', atUs: clock.nowUs(), counts: docs.map((d) => ({ workload: `local/default/${d.key.name}`, classes: { default: { inFlight: 1, held: 0, demandIntegralUs: k * 1e6, arrivals: k * 3, peak: 1 } }, requests: { total: k * 3, succeeded: k * 3, failed: 0, refused: 0, cancelled: 0, held: 0 }, oldestHeldUs: null, replicas: {}, lastActiveUs: clock.nowUs() })) });
  const { Session } = await import('node:inspector/promises'); const s = new Session(); s.connect(); await s.post('Profiler.enable');
  for (let k = 1; k < 9; k++) { if (k === 4) await s.post('Profiler.start'); const msg = m(k); t = performance.now(); const c = process.cpuUsage(); tell(msg); await clock.advance(1000); const d = process.cpuUsage(c); console.log('round', Math.round(performance.now() - t), 'cpu', (d.user + d.system) / 1000); }
  const { profile } = await s.post('Profiler.stop'); const self = new Map<string, number>(); const dt = profile.timeDeltas!; const byId = new Map(profile.nodes.map((n) => [n.id, n])); profile.samples!.forEach((id, i) => { const n = byId.get(id)!; const kk = n.callFrame.functionName + ' ' + n.callFrame.url.split('/').slice(-2).join('/') + ':' + n.callFrame.lineNumber; self.set(kk, (self.get(kk) ?? 0) + dt[i]!); });
  console.log([...self].sort((a, b) => b[1] - a[1]).slice(0, 30).map(([k, v]) => `PROF ${Math.round(v / 1000)} ${k}`).join('\n'));
  tell({ type: 'wake', gateway: 'g', workload: 'local/default/w5', class: 'default', held: 5, heldAtUs: clock.nowUs() }); 
  await clock.advance(20000);
  t = performance.now(); tell({ type: 'wake', gateway: 'g', workload: 'local/default/w77', class: 'default', held: 5, heldAtUs: clock.nowUs() }); console.log('wake', performance.now() - t);
  t = performance.now(); engine.statuses(); console.log('statuses', performance.now() - t);
  }
});
