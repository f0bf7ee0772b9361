// One consumer of the group, as Ebb or a Deployment starts it. Needs Node 22.18 or newer, which runs TypeScript.
const { main } = await import('./consumer/main.ts');
process.exit(await main(process.argv.slice(2), process.env));
