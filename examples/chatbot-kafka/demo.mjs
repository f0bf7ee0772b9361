// Kafka, Ebb and the prompt, without the preparations of start.mjs. Needs Node 22.18 or newer and a built Ebb.
const { main } = await import('./demo/main.ts');
process.exit(await main(process.argv.slice(2), process.env));
