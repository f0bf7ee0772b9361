// Broker, Ebb and page, without the preparations of start.mjs. Needs Node 22.18 or newer and a built Ebb.
const { main } = await import('./server/main.ts');
process.exit(await main(process.argv.slice(2), process.env));
